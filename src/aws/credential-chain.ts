/** Ways of getting credentials: those of the configuration, the SDK's default chain, a role assumed with either. */
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  STSClient,
  type STSClientConfig,
  type Credentials as StsCredentials,
} from "@aws-sdk/client-sts";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import type { KeyManagerConfig } from "../key-manager/config.ts";
import { KmsError } from "../key-manager/ports.ts";
import { credentialsErrorFrom } from "./aws-error.ts";
import type { Credentials, FetchCredentials } from "./credentials.ts";
import { withholdCredentials } from "./withhold-credentials.ts";

export type CredentialConfig = Pick<KeyManagerConfig, "credentials" | "profile" | "assumeRole">;

/** STS's default, and the most a chained role may have. */
const sessionSeconds = 3600;

function credentialsFrom(operation: string, answer: StsCredentials | undefined): Credentials {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = answer ?? {};
  if (AccessKeyId === undefined || SecretAccessKey === undefined || SessionToken === undefined) {
    throw new KmsError("the answer has no credentials", {
      code: "Unavailable",
      operation,
      awsName: "MalformedResponse",
      outcomeUnknown: false,
    });
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    ...(Expiration === undefined ? {} : { expiration: Expiration }),
  };
}

/** Calls STS, whose failures are told under the operation's own name. */
async function askSts(
  operation: string,
  ask: () => Promise<{ Credentials?: StsCredentials | undefined }>,
): Promise<Credentials> {
  try {
    return credentialsFrom(operation, (await ask()).Credentials);
  } catch (error) {
    throw credentialsErrorFrom(operation, error);
  }
}

function assume(base: FetchCredentials | Credentials, input: AssumeRoleCommandInput, config: STSClientConfig) {
  const sts = new STSClient({ ...config, credentials: base });
  withholdCredentials(sts);
  return () => askSts("AssumeRole", () => sts.send(new AssumeRoleCommand(input)));
}

/** The roles that profiles and the web identity variables name, assumed with our Region, endpoint and time limits. */
const roleAssumers = (config: STSClientConfig) => ({
  roleAssumer: (base: Credentials, input: AssumeRoleCommandInput) => assume(base, input, config)(),
  roleAssumerWithWebIdentity: (input: AssumeRoleWithWebIdentityCommandInput) => {
    // The token is the proof; the SDK does not look for other credentials.
    const sts = new STSClient(config);
    return askSts("AssumeRoleWithWebIdentity", () => sts.send(new AssumeRoleWithWebIdentityCommand(input)));
  },
});

function baseFetch({ credentials, profile }: CredentialConfig, stsConfig: STSClientConfig): FetchCredentials {
  if (credentials !== undefined) {
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const fixed = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    return async () => fixed;
  }
  const chain = defaultProvider({
    ignoreCache: true,
    ...roleAssumers(stsConfig),
    ...(profile === undefined ? {} : { profile }),
  });
  return async (options) => {
    try {
      return await chain(options);
    } catch (error) {
      throw credentialsErrorFrom("credentials", error);
    }
  };
}

/**
 * A fresh chain: providers remember what they found.
 *
 * @param stsConfig Region, endpoint and handler for STS
 */
export function credentialChain(config: CredentialConfig, stsConfig: STSClientConfig): FetchCredentials {
  const base = baseFetch(config, stsConfig);
  const { assumeRole } = config;
  if (assumeRole === undefined) return base;
  const { roleArn, externalId, sessionName } = assumeRole;
  const input = {
    RoleArn: roleArn,
    RoleSessionName: sessionName,
    DurationSeconds: sessionSeconds,
    ...(externalId === undefined ? {} : { ExternalId: externalId }),
  };
  return assume(base, input, stsConfig);
}
