/**
 * Which credentials are used: the choice of the AWS SDK for Go v2, which the built-in plugin makes. Nothing is asked for
 * here; what is chosen is used, and if it fails no other is tried in its place.
 */

import type { ReadText } from "./limited-file.ts";
import { hasKeys, hasSso, loadProfile, type Profile, ssoSettings } from "./profile.ts";
import { type Environment, readSharedFiles, type Sections } from "./shared-files.ts";
import { sourceError } from "./source-error.ts";

/** Where credentials come from at first. */
export type Origin =
  | { readonly kind: "environment" }
  | { readonly kind: "keys"; readonly profile: Profile }
  | {
      readonly kind: "web-identity";
      readonly tokenFile: string;
      readonly roleArn: string;
      readonly sessionName: string | undefined;
      /** Undefined: the environment. */
      readonly profile: Profile | undefined;
    }
  | { readonly kind: "sso"; readonly profile: Profile; readonly settings: ReadonlyMap<string, string> }
  | { readonly kind: "login"; readonly profile: Profile }
  | { readonly kind: "process"; readonly profile: Profile; readonly command: string }
  | { readonly kind: "container"; readonly url: string; readonly variable: string }
  | { readonly kind: "instance"; readonly profile: Profile | undefined };

/** A role that a profile has assumed with what it got. */
export interface RoleStep {
  readonly roleArn: string;
  readonly profile: string;
  readonly sessionName?: string;
  readonly externalId?: string;
  readonly durationSeconds?: number;
}

export interface Choice {
  readonly origin: Origin;
  /** One after the other, the first with the credentials of `origin`. */
  readonly roles: readonly RoleStep[];
}

export const accessKeyVariables = ["AWS_ACCESS_KEY_ID", "AWS_ACCESS_KEY"] as const;
export const secretKeyVariables = ["AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY"] as const;

/** The first of several variables that is set to something. */
export const variableSet = (env: Environment, names: readonly string[]): string | undefined =>
  names.find((name) => env[name]);

export const hasEnvironmentKeys = (env: Environment): boolean =>
  variableSet(env, accessKeyVariables) !== undefined && variableSet(env, secretKeyVariables) !== undefined;

/** The profile that is used: the setting's, or the environment's. */
export const profileName = (env: Environment, setting: string | undefined): string =>
  setting || env.AWS_PROFILE || env.AWS_DEFAULT_PROFILE || "default";

/** AWS_DEFAULT_PROFILE may name a profile that is not there, AWS_PROFILE may not. */
export function activeProfile(env: Environment, sections: Sections, setting: string | undefined): Profile | undefined {
  const name = profileName(env, setting);
  const profile = loadProfile(sections, name);
  if (profile === undefined && (setting || env.AWS_PROFILE)) {
    const by = setting ? "the setting profile" : "AWS_PROFILE";
    throw sourceError(`there is no profile ${name}, which ${by} names, in the shared files`);
  }
  return profile;
}

/** The profile's own certificate authorities. What is wrong with the shared files is told where credentials are wanted. */
export async function profileBundle(
  env: Environment,
  readText: ReadText,
  setting: string | undefined,
): Promise<string | undefined> {
  try {
    const profile = activeProfile(env, await readSharedFiles(env, readText), setting);
    return profile?.settings.get("ca_bundle");
  } catch {
    return undefined;
  }
}

/**
 * Makes the choice.
 *
 * @param setting the profile of the plugin's configuration, which comes before the environment
 * @throws KmsError for what the Go SDK refuses
 */
export function chooseCredentials(env: Environment, sections: Sections, setting: string | undefined): Choice {
  const profile = activeProfile(env, sections, setting);
  if (setting) return ofProfile(env, profile);
  if (hasEnvironmentKeys(env)) return { origin: { kind: "environment" }, roles: [] };
  const tokenFile = env.AWS_WEB_IDENTITY_TOKEN_FILE;
  if (!tokenFile) return ofProfile(env, profile);
  const roleArn = env.AWS_ROLE_ARN;
  if (!roleArn) throw sourceError("AWS_WEB_IDENTITY_TOKEN_FILE is set and AWS_ROLE_ARN is not; set both");
  const sessionName = env.AWS_ROLE_SESSION_NAME || undefined;
  return { origin: { kind: "web-identity", tokenFile, roleArn, sessionName, profile: undefined }, roles: [] };
}

function ofProfile(env: Environment, profile: Profile | undefined): Choice {
  const settings = profile?.settings ?? new Map<string, string>();
  const base =
    profile?.source === undefined ? { origin: originOf(env, profile), roles: [] } : ofProfile(env, profile.source);
  const roleArn = settings.get("role_arn");
  // With a web identity token the role has been assumed already.
  const isAssumed = base.origin.kind === "web-identity" && profile?.source === undefined;
  if (profile === undefined || !roleArn || isAssumed) return base;
  return { origin: base.origin, roles: [...base.roles, roleStep(profile, roleArn)] };
}

function originOf(env: Environment, profile: Profile | undefined): Origin {
  if (profile === undefined) return ofMachine(env, profile);
  const { settings } = profile;
  const tokenFile = settings.get("web_identity_token_file");
  const command = settings.get("credential_process");
  if (hasKeys(settings)) return { kind: "keys", profile };
  if (settings.get("credential_source")) return named(env, profile);
  if (tokenFile) {
    const sessionName = settings.get("role_session_name") || undefined;
    return { kind: "web-identity", tokenFile, roleArn: settings.get("role_arn") ?? "", sessionName, profile };
  }
  if (hasSso(settings)) return { kind: "sso", profile, settings: ssoSettings(profile) };
  if (settings.get("login_session")) return { kind: "login", profile };
  return command ? { kind: "process", profile, command } : ofMachine(env, profile);
}

/** What the machine or the container has that the server runs on. */
function ofMachine(env: Environment, profile: Profile | undefined): Origin {
  return container(env) ?? { kind: "instance", profile };
}

function container(env: Environment): Origin | undefined {
  const relative = env.AWS_CONTAINER_CREDENTIALS_RELATIVE_URI;
  if (relative) {
    const variable = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
    return { kind: "container", url: `http://169.254.170.2${relative}`, variable };
  }
  const full = env.AWS_CONTAINER_CREDENTIALS_FULL_URI;
  return full ? { kind: "container", url: full, variable: "AWS_CONTAINER_CREDENTIALS_FULL_URI" } : undefined;
}

function named(env: Environment, profile: Profile): Origin {
  const source = profile.settings.get("credential_source");
  if (source === "Ec2InstanceMetadata") return { kind: "instance", profile };
  if (source === "Environment") return { kind: "environment" };
  const found = source === "EcsContainer" ? container(env) : undefined;
  if (found !== undefined) return found;
  throw sourceError(
    source === "EcsContainer"
      ? `profile ${profile.name} has credential_source EcsContainer, and neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is set`
      : `profile ${profile.name}: credential_source must be EcsContainer, Ec2InstanceMetadata or Environment`,
  );
}

function roleStep(profile: Profile, roleArn: string): RoleStep {
  const { name, settings } = profile;
  if (settings.get("mfa_serial")) {
    throw sourceError(`profile ${name} has mfa_serial, and a server cannot type a code; use a role without MFA`);
  }
  const sessionName = settings.get("role_session_name");
  const externalId = settings.get("external_id");
  const seconds = Number(settings.get("duration_seconds"));
  return {
    roleArn,
    profile: name,
    ...(sessionName ? { sessionName } : {}),
    ...(externalId ? { externalId } : {}),
    // Go takes no notice of what is below its own default.
    ...(seconds >= 16 * 60 ? { durationSeconds: seconds } : {}),
  };
}
