/** The IamClient port over AWS SDK v3, whose IAM client is loaded when the first role is asked about. */
import { type IamClient, isKmsError, KmsError, type RoleInAccount } from "../key-manager/ports.ts";
import { Answer } from "./calls/answer.ts";
import { abortBy, type Caller, withRetries } from "./calls/retry.ts";
import type { IamSdk, iamSdk } from "./iam-sdk.ts";

/** For all attempts together, credentials included. Who makes a key may wait this long. */
const timeoutMs = 3_000;

/** Where the SDK knows IAM's global endpoint. In other partitions it would guess one from the Region. */
const knownPartitions: readonly string[] = ["aws", "aws-cn", "aws-us-gov"];

/** The one operation of IAM. Rejects as the SDK does. */
export type GetRole = IamSdk["getRole"];

/** Gives the way to IAM in a partition; undefined when there is no IAM to ask. */
type FindIam = (partition: string) => Promise<GetRole | undefined>;

/**
 * IAM as the environment and the shared configuration place it, else in its partition.
 *
 * @param options what other clients are made with, without their endpoint
 * @param isOnPrivateEndpoints whether KMS or STS are not AWS's own: then AWS's IAM knows nothing of our role
 */
export function findIam(options: Parameters<typeof iamSdk>[0], isOnPrivateEndpoints: () => Promise<boolean>): FindIam {
  return async (partition) => {
    const { iamSdk } = await import("./iam-sdk.ts");
    const sdk = iamSdk(options);
    if (await sdk.hasOwnEndpoint()) return sdk.getRole;
    return knownPartitions.includes(partition) && !(await isOnPrivateEndpoints()) ? sdk.getRole : undefined;
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
  readonly #findIam: FindIam;
  readonly #caller: Caller;

  constructor(findIam: FindIam, caller: Caller) {
    this.#findIam = findIam;
    // What IAM thinks of our credentials is nothing to KMS and STS.
    this.#caller = { ...caller, discardCredentials: () => false };
  }

  async getRoleArn({ partition, account, roleName }: RoleInAccount): Promise<string | undefined> {
    // Kubernetes and others tell a web identity's role in full.
    const named = process.env.AWS_ROLE_ARN;
    if (named?.startsWith(`arn:${partition}:iam::${account}:role/`) && named.endsWith(`/${roleName}`)) return named;
    const getRole = await this.#findIam(partition);
    if (getRole === undefined) return undefined;
    return this.#inTime((signal) => {
      const ask = async () => {
        return new Answer(operation, await getRole(roleName, abortBy(signal))).object("Role").text("Arn");
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
