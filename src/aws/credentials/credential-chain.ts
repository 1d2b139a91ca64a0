/** Ways of getting credentials: those of the configuration, the SDK's default chain, a role assumed with either. */
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  STSClient,
  type STSClientConfig,
} from "@aws-sdk/client-sts";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import type { KeyManagerConfig } from "../../key-manager/config.ts";
import { Answer } from "../calls/answer.ts";
import { credentialsErrorFrom, isClockSkewCorrected } from "../calls/aws-error.ts";
import type { Credentials, FetchCredentials } from "./credentials.ts";
import { withholdCredentials } from "./withhold-credentials.ts";

export type CredentialConfig = Pick<KeyManagerConfig, "credentials" | "profile" | "assumeRole">;

/** STS's default, and the most a chained role may have. */
const sessionSeconds = 3600;

function credentialsFrom(operation: string, output: unknown): Credentials {
  const answer = new Answer(operation, output).object("Credentials");
  const expiration = answer.optionalDate("Expiration");
  return {
    accessKeyId: answer.text("AccessKeyId"),
    secretAccessKey: answer.text("SecretAccessKey"),
    sessionToken: answer.text("SessionToken"),
    ...(expiration === undefined ? {} : { expiration }),
  };
}

/** Calls STS, whose failures are told under the operation's own name. */
async function askSts(operation: string, ask: () => Promise<object>): Promise<Credentials> {
  const attempt = async (isLast: boolean): Promise<Credentials> => {
    try {
      return credentialsFrom(operation, await ask());
    } catch (error) {
      // The client has learnt STS's time from the refusal, and forgets it with the chain it belongs to.
      if (!isLast && isClockSkewCorrected(error)) return attempt(true);
      throw credentialsErrorFrom(operation, error);
    }
  };
  return attempt(false);
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
