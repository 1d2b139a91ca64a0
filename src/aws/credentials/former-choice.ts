/** What the plugin's first versions would have chosen, as far as it tells an operator that an upgrade changes the identity. */
import { type Choice, hasEnvironmentKeys } from "./choice.ts";
import { hasKeys, hasSso } from "./profile.ts";
import type { Environment, Sections } from "./shared-files.ts";

const ways = ["credential_process", "web_identity_token_file", "source_profile", "credential_source", "login_session"];

function givesCredentials(sections: Sections, name: string): boolean {
  const settings = sections.get(name)?.values;
  if (settings === undefined) return false;
  return hasKeys(settings) || hasSso(settings) || ways.some((way) => settings.get(way));
}

/**
 * They looked into the profile first if AWS_PROFILE was set, into files before the web identity, and not at
 * AWS_DEFAULT_PROFILE.
 *
 * @returns what to tell the operator, if they would have used other credentials than `choice`
 */
export function identityChange(env: Environment, sections: Sections, choice: Choice): string | undefined {
  const former = env.AWS_PROFILE || "default";
  const { origin } = choice;
  if (origin.kind === "environment" && env.AWS_PROFILE && givesCredentials(sections, former)) {
    return `AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY come before AWS_PROFILE, as with the built-in plugin; earlier versions used profile ${former}`;
  }
  if (origin.kind === "web-identity" && origin.profile === undefined && givesCredentials(sections, former)) {
    return `AWS_WEB_IDENTITY_TOKEN_FILE comes before the shared files, as with the built-in plugin; earlier versions used profile ${former}`;
  }
  const byDefault = env.AWS_DEFAULT_PROFILE;
  if (!byDefault || env.AWS_PROFILE || byDefault === "default" || hasEnvironmentKeys(env)) return undefined;
  if (env.AWS_WEB_IDENTITY_TOKEN_FILE || (!sections.has(byDefault) && !sections.has("default"))) return undefined;
  return `AWS_DEFAULT_PROFILE is followed, as by the built-in plugin; earlier versions used profile default`;
}
