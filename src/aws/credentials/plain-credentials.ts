/** Credentials that are written down somewhere, and the check that no credentials hold what no header can carry. */
import { accessKeyVariables, secretKeyVariables, variableSet } from "./choice.ts";
import type { Credentials } from "./credentials.ts";
import type { Profile } from "./profile.ts";
import type { Environment } from "./shared-files.ts";
import { sourceError } from "./source-error.ts";

/** What is wrong with a value, without a word of it. */
function oddityOf(value: string): string | undefined {
  if (/[\r\n]/.test(value)) return "a line break";
  if (/[^\x20-\x7e]/.test(value)) return "a character that is not ASCII";
  return value.includes(" ") ? "a space" : undefined;
}

function check(value: string | undefined, name: string): void {
  const oddity = value === undefined ? undefined : oddityOf(value);
  if (oddity !== undefined) throw sourceError(`${name} holds ${oddity}; set it to the bare value`);
}

/** @param names what the source calls access key id, secret and session token */
function checked(credentials: Credentials, names: readonly [id: string, secret: string, token: string]): Credentials {
  check(credentials.accessKeyId, names[0]);
  check(credentials.secretAccessKey, names[1]);
  check(credentials.sessionToken, names[2]);
  return credentials;
}

/** Refuses credentials that cannot be sent; names the source, never the value. */
export const checkPlain = (credentials: Credentials, source: string): Credentials =>
  checked(credentials, [
    `the access key id of ${source}`,
    `the secret access key of ${source}`,
    `the session token of ${source}`,
  ]);

export function environmentCredentials(env: Environment): Credentials {
  const id = variableSet(env, accessKeyVariables);
  const secret = variableSet(env, secretKeyVariables);
  if (id === undefined || secret === undefined) {
    throw sourceError(
      "the environment is to give credentials, and AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set",
    );
  }
  const token = env.AWS_SESSION_TOKEN;
  const credentials = {
    accessKeyId: env[id] ?? "",
    secretAccessKey: env[secret] ?? "",
    ...(token ? { sessionToken: token } : {}),
  };
  return checked(credentials, [id, secret, "AWS_SESSION_TOKEN"]);
}

export function profileKeys({ name, settings }: Profile): Credentials {
  const token = settings.get("aws_session_token");
  const credentials = {
    accessKeyId: settings.get("aws_access_key_id") ?? "",
    secretAccessKey: settings.get("aws_secret_access_key") ?? "",
    ...(token ? { sessionToken: token } : {}),
  };
  const of = (setting: string) => `${setting} of profile ${name}`;
  return checked(credentials, [of("aws_access_key_id"), of("aws_secret_access_key"), of("aws_session_token")]);
}
