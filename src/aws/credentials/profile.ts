/** A profile of the shared files with those that it refers to, by the rules of the AWS SDK for Go v2. */
import type { Sections } from "./shared-files.ts";
import { sourceError } from "./source-error.ts";

export interface Profile {
  readonly name: string;
  /** What is set and counts, by name in lower case. */
  readonly settings: ReadonlyMap<string, string>;
  /** The profile that `source_profile` names. */
  readonly source?: Profile;
  /** The section that `sso_session` names. */
  readonly ssoSession?: ReadonlyMap<string, string>;
}

const roleSettings = ["role_arn", "external_id", "mfa_serial", "role_session_name", "source_profile"];

/** What a profile with `source_profile` may hold in vain: the other profile provides the credentials. */
const credentialSettings = [
  "credential_source",
  "credential_process",
  "web_identity_token_file",
  "aws_access_key_id",
  "aws_secret_access_key",
  "aws_session_token",
  "sso_account_id",
  "sso_region",
  "sso_role_name",
  "sso_start_url",
];

const legacySso = ["sso_region", "sso_account_id", "sso_start_url", "sso_role_name"];

type Settings = ReadonlyMap<string, string>;

const has = (settings: Settings, ...names: readonly string[]): boolean => names.every((name) => settings.get(name));

export const hasKeys = (settings: Settings): boolean => has(settings, "aws_access_key_id", "aws_secret_access_key");

export const hasSso = (settings: Settings): boolean =>
  has(settings, "sso_session") || legacySso.some((name) => has(settings, name));

/** The settings of a sign-in at IAM Identity Center: the session's before the profile's own. */
export function ssoSettings({ name, settings, ssoSession }: Profile): ReadonlyMap<string, string> {
  const found = new Map(legacySso.map((setting) => [setting, ssoSession?.get(setting) || settings.get(setting) || ""]));
  // A session's own settings must stand in the session.
  const needed = ssoSession === undefined ? legacySso : ["sso_region", "sso_start_url"];
  const missing = needed.filter((setting) => !(ssoSession ?? settings).get(setting));
  if (missing.length > 0) throw sourceError(`profile ${name} is to use SSO and has no ${missing.join(", ")}`);
  for (const setting of needed) {
    if (ssoSession === undefined || !settings.get(setting) || settings.get(setting) === ssoSession.get(setting))
      continue;
    throw sourceError(`profile ${name} and its SSO session have different values of ${setting}`);
  }
  return found;
}

/** Ways of getting credentials of which a profile may have one. */
const exclusive = ["source_profile", "credential_source", "credential_process", "web_identity_token_file"];
const needRole = ["source_profile", "credential_source", "web_identity_token_file"];

function checkRole(name: string, settings: Settings): void {
  const needs = needRole.find((setting) => has(settings, setting));
  if (needs !== undefined && !has(settings, "role_arn")) {
    throw sourceError(`profile ${name} has ${needs} and no role_arn; set the role that is to be assumed`);
  }
}

function sourceOf(name: string, settings: Settings, sections: Sections, seen: Set<string>): Profile {
  const sourceName = settings.get("source_profile") ?? "";
  const source = loadProfile(sections, sourceName, seen);
  if (source === undefined) {
    throw sourceError(`profile ${sourceName}, which profile ${name} names as source_profile, is not there`);
  }
  const provides = [...exclusive, "sso_session"].some((setting) => has(source.settings, setting));
  if (!provides && !hasSso(source.settings) && !hasKeys(source.settings)) {
    throw sourceError(`profile ${sourceName}, which profile ${name} names as source_profile, has no credentials`);
  }
  return source;
}

/**
 * Reads a profile.
 *
 * @param seen profiles that have led to this one
 * @returns undefined if there is none of this name
 * @throws KmsError for what the Go SDK refuses
 */
export function loadProfile(sections: Sections, name: string, seen = new Set<string>()): Profile | undefined {
  const section = sections.get(name);
  if (section === undefined) return undefined;
  if (section.problem !== undefined) throw sourceError(`${section.problem}; set both or neither`);
  const settings = new Map(section.values);
  const drop = (names: readonly string[]) => {
    for (const setting of names) settings.delete(setting);
  };
  // A profile that leads back to itself gives its credentials there, not its role again.
  if (seen.has(name)) drop(roleSettings);
  else checkRole(name, settings);
  if (seen.size > 0 && hasKeys(settings)) return { name, settings };
  seen.add(name);
  if (exclusive.filter((setting) => has(settings, setting)).length > 1) {
    throw sourceError(`profile ${name} may have one of ${exclusive.join(", ")} only`);
  }
  const isLinked = has(settings, "source_profile");
  if (isLinked) drop(credentialSettings);
  const source = isLinked ? sourceOf(name, settings, sections, seen) : undefined;
  const session = settings.get("sso_session");
  const ssoSession = session ? sections.get(`sso-session ${session.trim()}`)?.values : undefined;
  if (session && ssoSession === undefined) {
    throw sourceError(
      `profile ${name} names the SSO session ${session}, and there is no section [sso-session ${session}]`,
    );
  }
  return {
    name,
    settings,
    ...(source === undefined ? {} : { source }),
    ...(ssoSession === undefined ? {} : { ssoSession }),
  };
}
