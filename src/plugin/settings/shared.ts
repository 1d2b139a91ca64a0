/** The settings that every plugin of this package has: where the keys are, with which credentials, how they are made. */
import * as v from "valibot";
import type { KeyManagerConfig, StaticCredentials } from "../../key-manager/config.ts";
import { regionWarning } from "./regions.ts";
import { endpoint, flag, loopbackAddress, matching, oneOf, regionName, secret, text, wholeNumber } from "./schemas.ts";
import type { SettingValues } from "./table.ts";

/** What became of `plugin_data`. */
export interface ConfigResult<C extends KeyManagerConfig> {
  /** Absent when there are problems. */
  readonly config?: C;
  /** What makes the configuration unusable, one sentence each, starting with the setting's name. */
  readonly problems: readonly string[];
  /** What works but should be changed. */
  readonly warnings: readonly string[];
}

export const sharedSettings = {
  access_key_id: v.optional(secret),
  secret_access_key: v.optional(secret),
  session_token: v.optional(secret),
  region: v.optional(regionName),
  endpoint: v.optional(endpoint),
  sts_endpoint: v.optional(endpoint),
  profile: v.optional(text),
  assume_role_arn: v.optional(
    matching(
      /^arn:[a-z0-9-]+:iam::\d{12}:role\/[\w+=,.@/-]+$/,
      "must be the ARN of an IAM role, like arn:aws:iam::111122223333:role/spire-server",
    ),
  ),
  assume_role_external_id: v.optional(secret),
  assume_role_session_name: v.optional(
    matching(/^[\w+=,.@-]{2,64}$/, "must have 2 to 64 letters, digits and characters of + = , . @ _ -"),
  ),
  use_fips_endpoint: v.optional(flag),
  use_dualstack_endpoint: v.optional(flag),
  pending_window_in_days: v.optional(wholeNumber(7, 30)),
  max_keys_created_per_hour: v.optional(wholeNumber(0, 1_000_000)),
  max_live_keys: v.optional(wholeNumber(0, 1_000_000)),
  strict_key_discovery: v.optional(flag),
  refuse_shared_identity: v.optional(flag),
  verify_signatures: v.optional(flag),
  grpc_fast_path: v.optional(flag),
  sign_transport: v.optional(oneOf("own", "sdk")),
  hedge_signatures: v.optional(flag),
  metrics_listen: v.optional(loopbackAddress),
};

type SharedValues = SettingValues<typeof sharedSettings>;

export type SharedConfig = Pick<
  KeyManagerConfig,
  | "region"
  | "profile"
  | "assumeRole"
  | "useFipsEndpoint"
  | "useDualstackEndpoint"
  | "credentials"
  | "endpoint"
  | "stsEndpoint"
  | "pendingWindowInDays"
  | "maxKeysCreatedPerHour"
  | "maxLiveKeys"
  | "strictKeyDiscovery"
  | "refuseSharedIdentity"
  | "verifySignatures"
  | "grpcFastPath"
  | "signTransport"
  | "hedgeSignatures"
  | "metricsListen"
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

function roleProblems(values: SharedValues): string[] {
  const problems: string[] = [];
  for (const name of ["assume_role_external_id", "assume_role_session_name"] as const) {
    if (values[name] !== undefined && values.assume_role_arn === undefined) {
      problems.push(`${name}: set without assume_role_arn; set that too, or remove it`);
    }
  }
  if (values.profile !== undefined && values.access_key_id !== undefined) {
    problems.push("profile: set beside access_key_id; keep one of them");
  }
  return problems;
}

/**
 * What concerns several of the shared settings, or their absence.
 *
 * @param given names of the settings that were given, right or wrong: what is wrong has its own message already
 */
export function sharedConfigOf(
  values: SharedValues,
  given: ReadonlySet<string>,
): {
  readonly shared: SharedConfig | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
} {
  const problems: string[] = [];
  const { region } = values;
  // Behind an endpoint of its own a stack may call its Regions as it likes.
  const warning = region === undefined || values.endpoint !== undefined ? undefined : regionWarning(region);
  const warnings = warning === undefined ? [] : [warning];
  // An empty string is no setting, and neither wrong.
  if (region === undefined && (!given.has("region") || "region" in values)) {
    problems.push(
      "region: configuration is missing a region; set it to the AWS Region that holds the keys, like us-east-2",
    );
  }
  const credentials = credentialsOf(values);
  problems.push(...roleProblems(values));
  if (typeof credentials === "string") problems.push(credentials);
  if (region === undefined || typeof credentials === "string") return { shared: undefined, problems, warnings };
  const shared: SharedConfig = {
    region,
    credentials,
    profile: values.profile,
    assumeRole:
      values.assume_role_arn === undefined
        ? undefined
        : {
            roleArn: values.assume_role_arn,
            externalId: values.assume_role_external_id,
            sessionName: values.assume_role_session_name ?? "spire-server",
          },
    useFipsEndpoint: values.use_fips_endpoint,
    useDualstackEndpoint: values.use_dualstack_endpoint,
    endpoint: values.endpoint,
    stsEndpoint: values.sts_endpoint,
    pendingWindowInDays: values.pending_window_in_days ?? 7,
    maxKeysCreatedPerHour: values.max_keys_created_per_hour ?? 60,
    maxLiveKeys: values.max_live_keys ?? 1_000,
    strictKeyDiscovery: values.strict_key_discovery ?? false,
    refuseSharedIdentity: values.refuse_shared_identity ?? false,
    metricsListen: values.metrics_listen,
    verifySignatures: values.verify_signatures ?? true,
    grpcFastPath: values.grpc_fast_path ?? true,
    signTransport: values.sign_transport ?? "own",
    hedgeSignatures: values.hedge_signatures ?? true,
  };
  return { shared, problems, warnings };
}
