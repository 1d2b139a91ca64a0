/**
 * The IamClient port over AWS SDK v3.
 *
 * Not over `@aws-sdk/client-iam`: of its 180 operations one is wanted. IAM speaks STS's protocol (AWS Query), so STS's client
 * makes the call, with IAM's name, version, endpoints and operation in place of its own.
 */
import { GetCallerIdentityCommand, STSClient, type STSClientConfig } from "@aws-sdk/client-sts";
import { type IamClient, isKmsError, KmsError, type RoleInAccount } from "../key-manager/ports.ts";
import { Answer } from "./calls/answer.ts";
import { abortBy, type Caller, withRetries } from "./calls/retry.ts";
import { withholdCredentials } from "./credentials/withhold-credentials.ts";

/** For all attempts together, credentials included. Who makes a key may wait this long. */
const timeoutMs = 3_000;

interface GlobalEndpoint {
  readonly signingRegion: string;
  readonly hosts: readonly [plain: string, fips: string, dualstack: string, fipsDualstack: string];
}

/** IAM is one service for a partition (endpoint rules of botocore and of the SDK, 2026). Elsewhere nobody is asked. */
const globalEndpoints: Readonly<Record<string, GlobalEndpoint>> = {
  aws: {
    signingRegion: "us-east-1",
    hosts: ["iam.amazonaws.com", "iam-fips.amazonaws.com", "iam.global.api.aws", "iam-fips.global.api.aws"],
  },
  "aws-cn": {
    signingRegion: "cn-north-1",
    hosts: [
      "iam.cn-north-1.amazonaws.com.cn",
      "iam-fips.amazonaws.com.cn",
      "iam.global.api.amazonwebservices.com.cn",
      "iam-fips.api.amazonwebservices.com.cn",
    ],
  },
  "aws-us-gov": {
    signingRegion: "us-gov-west-1",
    hosts: ["iam.us-gov.amazonaws.com", "iam.us-gov.amazonaws.com", "iam.us-gov.api.aws", "iam.us-gov.api.aws"],
  },
};

type EndpointProvider = NonNullable<STSClientConfig["endpointProvider"]>;

/** An endpoint of one's own is signed for the configured Region, as the SDK's IAM client does. */
const endpointProvider =
  (partition: string): EndpointProvider =>
  ({ Endpoint, Region = "us-east-1", UseFIPS, UseDualStack }) => {
    const signed = (url: string, signingRegion: string) => ({
      url: new URL(url),
      properties: { authSchemes: [{ name: "sigv4", signingName: "iam", signingRegion, properties: {} }] },
    });
    if (Endpoint !== undefined) return signed(Endpoint, Region);
    const known = globalEndpoints[partition];
    if (known === undefined) throw new Error(`no endpoint of IAM is known in partition ${partition}`);
    const [plain, fips, dualstack, fipsDualstack] = known.hosts;
    const host = UseDualStack ? (UseFIPS ? fipsDualstack : dualstack) : UseFIPS ? fips : plain;
    return signed(`https://${host}`, known.signingRegion);
  };

const namespace = "com.amazonaws.iam";

/** The SDK's notation of a structure: 3; of a string: 0. */
const request$ = [3, namespace, "GetRoleRequest", 0, ["RoleName"], [0]];
const role$ = [3, namespace, "Role", 0, ["Arn"], [0]];
const response$ = [3, namespace, "GetRoleResponse", 0, ["Role"], [() => role$]];
const getRole$ = [9, namespace, "GetRole", 0, () => request$, () => response$];

type Resolve = GetCallerIdentityCommand["resolveMiddlewareWithContext"];

/** An operation that STS does not have, on the ways of one that it has. */
export class GetRoleCommand extends GetCallerIdentityCommand {
  constructor(input: { readonly RoleName: string }) {
    super(input);
  }

  override resolveMiddlewareWithContext(
    ...[stack, configuration, options, context]: Parameters<Resolve>
  ): ReturnType<Resolve> {
    const smithyContext = { ...context.smithyContext, service: "IAM", operation: "GetRole", operationSchema: getRole$ };
    const names = { clientName: "IAMClient", commandName: "GetRoleCommand" };
    return super.resolveMiddlewareWithContext(stack, configuration, options, { ...context, ...names, smithyContext });
  }
}

/** Gives whom to ask in a partition; undefined when there is nobody. */
export type IamSdks = (partition: string) => Promise<Pick<STSClient, "send"> | undefined>;

/**
 * Clients for IAM as the environment and the shared configuration place it (`AWS_ENDPOINT_URL_IAM`, `AWS_ENDPOINT_URL`),
 * else in its partition.
 *
 * @param options what STS's client is made with, without its endpoint
 * @param isOnPrivateEndpoints whether KMS or STS are not AWS's own: then AWS's IAM knows nothing of our role
 */
export function iamSdks(options: STSClientConfig, isOnPrivateEndpoints: () => Promise<boolean>): IamSdks {
  return async (partition) => {
    const sdk = new STSClient({
      ...options,
      serviceId: "IAM",
      endpointProvider: endpointProvider(partition),
      protocolSettings: {
        defaultNamespace: namespace,
        xmlNamespace: "https://iam.amazonaws.com/doc/2010-05-08/",
        version: "2010-05-08",
      },
    });
    withholdCredentials(sdk);
    const hasOwnEndpoint = (await sdk.config.serviceConfiguredEndpoint?.()) !== undefined;
    if (!hasOwnEndpoint && (!Object.hasOwn(globalEndpoints, partition) || (await isOnPrivateEndpoints())))
      return undefined;
    return sdk;
  };
}

const operation = "GetRole";

const tooLate = () =>
  new KmsError(`no answer within ${timeoutMs / 1000} s`, {
    code: "TIMEOUT",
    operation,
    awsName: "TimeoutError",
    outcomeUnknown: true,
  });

export class AwsIamClient implements IamClient {
  readonly #sdks: IamSdks;
  readonly #caller: Caller;

  constructor(sdks: IamSdks, caller: Caller) {
    this.#sdks = sdks;
    // What IAM thinks of our credentials is nothing to KMS and STS.
    this.#caller = { ...caller, discardCredentials: () => false };
  }

  async getRoleArn({ partition, account, roleName }: RoleInAccount): Promise<string | undefined> {
    // Kubernetes and others tell a web identity's role in full.
    const named = process.env.AWS_ROLE_ARN;
    if (named?.startsWith(`arn:${partition}:iam::${account}:role/`) && named.endsWith(`/${roleName}`)) return named;
    const sdk = await this.#sdks(partition);
    if (sdk === undefined) return undefined;
    return this.#inTime((signal) => {
      const ask = async () => {
        const output: unknown = await sdk.send(new GetRoleCommand({ RoleName: roleName }), abortBy(signal));
        return new Answer(operation, output).object("Role").text("Arn");
      };
      return withRetries(ask, { operation, caller: this.#caller, signal, repeatable: true });
    });
  }

  async #inTime<T>(call: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController();
    const done = new AbortController();
    this.#caller.clock.sleep(timeoutMs, done.signal).then(
      () => late.abort(),
      () => undefined,
    );
    try {
      return await call(late.signal);
    } catch (error) {
      throw late.signal.aborted && isKmsError(error, "ABORTED") ? tooLate() : error;
    } finally {
      done.abort();
    }
  }
}
