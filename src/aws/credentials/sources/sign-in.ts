/** Credentials of people's sign-ins: IAM Identity Center (`sso_…`) and `aws login`. AWS's SDK does this; it is loaded when wanted. */
import type { Credentials } from "../credentials.ts";
import type { Profile } from "../profile.ts";

interface SdkOptions {
  readonly requestHandler: unknown;
  readonly logger: unknown;
  readonly maxAttempts: number;
}

/** @param found the settings of the profile and its session */
export async function ssoCredentials(
  { name, settings }: Profile,
  found: ReadonlyMap<string, string>,
  sdk: SdkOptions,
): Promise<Credentials> {
  const { fromSSO } = await import("@aws-sdk/credential-provider-sso");
  const setTo = (setting: string) => found.get(setting) ?? "";
  const session = settings.get("sso_session");
  const clientConfig = { ...sdk, region: setTo("sso_region") };
  return fromSSO({
    ssoAccountId: setTo("sso_account_id"),
    ssoRoleName: setTo("sso_role_name"),
    ssoRegion: setTo("sso_region"),
    ssoStartUrl: setTo("sso_start_url"),
    ...(session ? { ssoSession: session } : {}),
    profile: name,
    ignoreCache: true,
    // The types are those of one client; any takes these.
    clientConfig: clientConfig as object,
  })();
}

export async function loginCredentials(profile: Profile, sdk: SdkOptions): Promise<Credentials> {
  const { fromLoginCredentials } = await import("@aws-sdk/credential-provider-login");
  return fromLoginCredentials({ profile: profile.name, ignoreCache: true, clientConfig: { ...sdk } as object })();
}
