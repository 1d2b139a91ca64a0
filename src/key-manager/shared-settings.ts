/** The settings that every plugin of this package has: where the keys are, with which credentials, how they are made. */
import * as v from "valibot";
import type { KeyManagerConfig, StaticCredentials } from "./config.ts";
import { endpoint, flag, matching, secret, wholeNumber } from "./setting-schemas.ts";
import type { SettingValues } from "./setting-table.ts";

export const sharedSettings = {
  access_key_id: v.optional(secret),
  secret_access_key: v.optional(secret),
  session_token: v.optional(secret),
  region: v.optional(
    // Open to the names of private stacks; an Availability Zone (us-east-2a) is the usual slip.
    matching(/^(?!.*\d[a-z]$)[a-z0-9]+(-[a-z0-9]+)*$/, "must be the code of an AWS Region, like us-east-2"),
  ),
  endpoint: v.optional(endpoint),
  sts_endpoint: v.optional(endpoint),
  pending_window_in_days: v.optional(wholeNumber(7, 30)),
  max_keys_created_per_hour: v.optional(wholeNumber(0, 1_000_000)),
  strict_key_discovery: v.optional(flag),
  verify_signatures: v.optional(flag),
};

type SharedValues = SettingValues<typeof sharedSettings>;

export type SharedConfig = Pick<
  KeyManagerConfig,
  | "region"
  | "credentials"
  | "endpoint"
  | "stsEndpoint"
  | "pendingWindowInDays"
  | "maxKeysCreatedPerHour"
  | "strictKeyDiscovery"
  | "verifySignatures"
>;

function credentialsOf(values: SharedValues): StaticCredentials | string | undefined {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: sessionToken } = values;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) return { accessKeyId, secretAccessKey, sessionToken };
  if (accessKeyId !== undefined) {
    return "secret_access_key: missing while access_key_id is set; set both, or neither to use the default credential chain";
  }
  if (secretAccessKey !== undefined) {
    return "access_key_id: missing while secret_access_key is set; set both, or neither to use the default credential chain";
  }
  if (sessionToken !== undefined) {
    return "session_token: set without access_key_id and secret_access_key; set all three, or none to use the default credential chain";
  }
  return undefined;
}

/**
 * What concerns several of the shared settings, or their absence.
 *
 * @param given names of the settings that were given, right or wrong: what is wrong has its own message already
 */
export function sharedConfigOf(
  values: SharedValues,
  given: ReadonlySet<string>,
): { readonly shared: SharedConfig | undefined; readonly problems: readonly string[] } {
  const problems: string[] = [];
  const { region } = values;
  // An empty string is no setting, and neither wrong.
  if (region === undefined && (!given.has("region") || "region" in values)) {
    problems.push(
      "region: configuration is missing a region; set it to the AWS Region that holds the keys, like us-east-2",
    );
  }
  const credentials = credentialsOf(values);
  if (typeof credentials === "string") problems.push(credentials);
  if (region === undefined || typeof credentials === "string") return { shared: undefined, problems };
  const shared: SharedConfig = {
    region,
    credentials,
    endpoint: values.endpoint,
    stsEndpoint: values.sts_endpoint,
    pendingWindowInDays: values.pending_window_in_days ?? 7,
    maxKeysCreatedPerHour: values.max_keys_created_per_hour ?? 60,
    strictKeyDiscovery: values.strict_key_discovery ?? false,
    verifySignatures: values.verify_signatures ?? true,
  };
  return { shared, problems };
}
