/**
 * Where credentials were looked for, in words for who must provide some: told where nothing led to any, and where the
 * profile that is to be used is not there.
 */
import { isKmsError, KmsError } from "../../key-manager/ports.ts";
import { accessKeyVariables, type Choice, profileName, secretKeyVariables, variableSet } from "./choice.ts";
import type { ReadText } from "./limited-file.ts";
import { type Environment, parseSharedFile, type Sections, sharedFilePaths } from "./shared-files.ts";
import { AbsentSource } from "./source-error.ts";

export interface LookedIn {
  readonly env: Environment;
  readonly sections: Sections;
  readonly readText: ReadText;
  /** The profile of the plugin's configuration. */
  readonly setting: string | undefined;
}

const systemErrors: Readonly<Record<string, string>> = {
  ENOENT: "is not there",
  ENOTDIR: "is not there",
  EACCES: "may not be read by this user",
  EPERM: "may not be read by this user",
};

/** What a shared file has of the profile. */
async function stateOf(path: string, name: string, readText: ReadText): Promise<string> {
  try {
    const sections = parseSharedFile(await readText(path));
    const isThere = sections.has(name) || sections.has(`profile ${name}`);
    return `${path} ${isThere ? "has no credentials in it" : "has no such profile"}`;
  } catch (error) {
    const code = String(Reflect.get(Object(error), "code"));
    return `${path} ${(Object.hasOwn(systemErrors, code) ? systemErrors[code] : undefined) ?? `cannot be read (${code})`}`;
  }
}

async function sharedFiles({ env, setting, readText }: LookedIn): Promise<string> {
  const { credentials, config } = sharedFilePaths(env);
  const paths = [credentials, config].flatMap((path) => path ?? []);
  if (paths.length === 0) return "there is no home folder with shared files in it";
  const name = profileName(env, setting);
  return (await Promise.all(paths.map((path) => stateOf(path, name, readText)))).join(", ");
}

function environmentKeys(env: Environment): string {
  const missing = [
    ...(variableSet(env, accessKeyVariables) === undefined ? ["AWS_ACCESS_KEY_ID"] : []),
    ...(variableSet(env, secretKeyVariables) === undefined ? ["AWS_SECRET_ACCESS_KEY"] : []),
  ];
  return `environment (${missing.join(" and ")} not set)`;
}

const advice =
  "Set access_key_id and secret_access_key or profile, or give SPIRE Server's environment or this machine a role";

const rewritten = (error: KmsError, message: string): KmsError => {
  const { code, operation, awsName, requestId } = error;
  return new KmsError(message, { code, operation, awsName, requestId, outcomeUnknown: false });
};

/** The profile that is to be used is not there: which files were looked into. */
export async function whereProfileIsMissing(error: unknown, looked: LookedIn): Promise<unknown> {
  const { env, sections, setting } = looked;
  if (!isKmsError(error) || sections.has(profileName(env, setting))) return error;
  return rewritten(error, `${error.message}: ${await sharedFiles(looked)}`);
}

/**
 * The instance's role is what is left when nothing else was found: where there is none, the operator is told of all that
 * was tried.
 */
export async function whereNothingIsFound(error: unknown, { origin }: Choice, looked: LookedIn): Promise<unknown> {
  const isAbsent = error instanceof AbsentSource || isKmsError(error, "TIMEOUT");
  // A profile that names the instance has chosen it.
  const isLastResort = origin.kind === "instance" && origin.profile?.settings.get("credential_source") === undefined;
  if (!isAbsent || !isLastResort) return error;
  const { env, setting } = looked;
  const tried = [
    // What a profile of the configuration says comes before the environment.
    ...(setting ? [] : [environmentKeys(env), "web identity (AWS_WEB_IDENTITY_TOKEN_FILE not set)"]),
    `profile ${profileName(env, setting)} (${await sharedFiles(looked)})`,
    "container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI not set)",
    `EC2 instance (${error.message})`,
  ];
  return rewritten(error, `no AWS credentials found. Tried: ${tried.join("; ")}. ${advice}`);
}
