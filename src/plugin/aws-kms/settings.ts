/**
 * The configuration of `aws_kms`: from settings to a checked {@link AwsKmsConfig}, all problems reported together.
 *
 * One entry of the table below per setting; what concerns several settings at once is checked after it.
 */
import * as v from "valibot";
import type { KeyManagerConfig, UpkeepConfig } from "../../key-manager/config.ts";
import { formatDuration } from "../../key-manager/pace/duration.ts";
import type { Tag } from "../../key-manager/ports.ts";
import { keyTagProblems, maxTags, pluginTagCount } from "../../key-manager/tags/key-tags.ts";
import type { PluginData } from "../settings/plugin-data.ts";
import { duration, flag, serverId, shown, text, textOfNumber, wholeNumber } from "../settings/schemas.ts";
import type { ConfigResult } from "../settings/shared.ts";
import { sharedConfigOf, sharedSettings } from "../settings/shared.ts";
import { checkSettings, type SettingValues } from "../settings/table.ts";
import { multiRegionOf, regionSettings } from "./region-settings.ts";

/** Who this server is: a UUID kept in a file, or a value the operator gives. */
export type ServerIdentity =
  | { readonly kind: "file"; readonly path: string; readonly setting: "key_identifier_file" | "key_metadata_file" }
  | { readonly kind: "value"; readonly value: string };

export interface AwsKmsConfig extends KeyManagerConfig {
  readonly trustDomain: string;
  readonly identity: ServerIdentity;
  readonly keyPolicyFile: string | undefined;
}

const hourMs = 3_600_000;
const minIntervalMs = 1_000;
const minStaleAliasThresholdMs = 24 * hourMs;
const minStaleKeyThresholdMs = hourMs;

const tagMap = v.pipe(
  v.record(
    v.string(),
    v.union([v.string(), textOfNumber], "has a value that is not a string; write it in quotes"),
    (issue) => `must be a map of strings, like { Team = "security" }, not ${shown(issue.input)}`,
  ),
  v.transform((map): readonly Tag[] => Object.entries(map).map(([key, value]) => ({ key, value }))),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    for (const message of keyTagProblems(dataset.value)) addIssue({ message });
  }),
);

const settingTable = {
  ...sharedSettings,
  key_identifier_file: v.optional(text),
  key_metadata_file: v.optional(text),
  key_identifier_value: v.optional(serverId),
  key_policy_file: v.optional(text),
  key_tags: v.optional(tagMap),
  enable_tag_based_key_discovery: v.optional(flag),
  retag_existing_keys: v.optional(flag),
  alias_refresh_interval: v.optional(duration(minIntervalMs)),
  stale_alias_scan_interval: v.optional(duration(minIntervalMs)),
  stale_alias_threshold: v.optional(duration(minStaleAliasThresholdMs)),
  stale_key_scan_interval: v.optional(duration(minIntervalMs)),
  stale_key_threshold: v.optional(duration(minStaleKeyThresholdMs)),
  scan_start_delay: v.optional(duration(0)),
  prune_dry_run: v.optional(flag),
  prune_confirm_delay: v.optional(duration(0)),
  prune_ambiguous_keys: v.optional(flag),
  share_scans: v.optional(flag),
  max_deletions_per_scan: v.optional(wholeNumber(1, 100_000)),
  ...regionSettings,
};

/** Every setting of `aws_kms`. */
export const awsKmsSettingNames: readonly string[] = Object.keys(settingTable);

type Settings = SettingValues<typeof settingTable>;

function identityOf(values: Settings): ServerIdentity | string {
  const { key_identifier_file, key_metadata_file, key_identifier_value } = values;
  if (key_identifier_file !== undefined && key_metadata_file !== undefined) {
    return "key_metadata_file: configuration must not contain both 'key_identifier_file' and its old name 'key_metadata_file'; remove key_metadata_file";
  }
  const path = key_identifier_file ?? key_metadata_file;
  if (path !== undefined && key_identifier_value !== undefined) {
    return "key_identifier_value: configuration must not contain both server id and server id file path; set either key_identifier_file or key_identifier_value";
  }
  if (key_identifier_value !== undefined) return { kind: "value", value: key_identifier_value };
  if (path !== undefined) {
    return {
      kind: "file",
      path,
      setting: key_identifier_file === undefined ? "key_metadata_file" : "key_identifier_file",
    };
  }
  return "key_identifier_file: configuration requires server id or server id file path; set key_identifier_file or key_identifier_value";
}

function upkeepOf(values: Settings): UpkeepConfig {
  return {
    aliasRefreshIntervalMs: values.alias_refresh_interval ?? 6 * hourMs,
    staleAliasScanIntervalMs: values.stale_alias_scan_interval ?? 24 * hourMs,
    staleAliasThresholdMs: values.stale_alias_threshold ?? 336 * hourMs,
    staleKeyScanIntervalMs: values.stale_key_scan_interval ?? 48 * hourMs,
    staleKeyThresholdMs: values.stale_key_threshold ?? 48 * hourMs,
    scanStartDelayMs: values.scan_start_delay ?? hourMs / 6,
    pruneDryRun: values.prune_dry_run ?? false,
    pruneConfirmDelayMs: values.prune_confirm_delay ?? hourMs / 4,
    pruneAmbiguousKeys: values.prune_ambiguous_keys ?? false,
    shareScans: values.share_scans ?? true,
    maxDeletionsPerScan: values.max_deletions_per_scan ?? 100,
  };
}

/** A server that runs must never look stale: it gets at least two chances to refresh. */
function upkeepProblem({ staleAliasThresholdMs, aliasRefreshIntervalMs }: UpkeepConfig): string | undefined {
  if (staleAliasThresholdMs >= 2 * aliasRefreshIntervalMs) return undefined;
  return `stale_alias_threshold: is "${formatDuration(staleAliasThresholdMs)}"; it must be at least twice alias_refresh_interval ("${formatDuration(aliasRefreshIntervalMs)}"), or servers that are alive would lose their keys`;
}

/** The plugin's own tags in tag mode count toward KMS's limit. */
function tagCountProblem(tags: readonly Tag[], tagMode: boolean): string | undefined {
  const [problem] = tagMode && tags.length <= maxTags ? keyTagProblems(tags, pluginTagCount) : [];
  return problem === undefined ? undefined : `key_tags: ${problem}`;
}

/**
 * Checks `plugin_data`. Touches neither files nor AWS.
 *
 * @param trustDomain a valid trust domain name; the SDK has checked SPIRE's core configuration
 */
export function parseConfig(trustDomain: string, pluginData: PluginData): ConfigResult<AwsKmsConfig> {
  const checked = checkSettings(settingTable, pluginData);
  if (checked === undefined) return { problems: pluginData.problems, warnings: [] };
  const { values, given } = checked;
  const problems = [...checked.problems];

  const upkeep = upkeepOf(values);
  const keyTags = values.key_tags ?? [];
  const tagBasedKeyDiscovery = values.enable_tag_based_key_discovery ?? false;
  for (const problem of [upkeepProblem(upkeep), tagCountProblem(keyTags, tagBasedKeyDiscovery)]) {
    if (problem !== undefined) problems.push(problem);
  }
  const identity = identityOf(values);
  // A malformed identity has its own message already.
  const identityMalformed = problems.some((problem) => /^key_(identifier_(file|value)|metadata_file):/.test(problem));
  if (typeof identity === "string" && !identityMalformed) problems.push(identity);
  const { shared, problems: sharedProblems, warnings: sharedWarnings } = sharedConfigOf(values, given);
  problems.push(...sharedProblems);

  const regions = multiRegionOf(values);
  problems.push(...regions.problems);

  const warnings = [...sharedWarnings, ...regions.warnings];
  if (given.has("key_metadata_file")) {
    warnings.push("key_metadata_file is the old name of key_identifier_file; rename it, the file stays as it is");
  }
  if (problems.length > 0 || shared === undefined || typeof identity === "string") return { problems, warnings };
  const config: AwsKmsConfig = {
    ...shared,
    trustDomain,
    identity,
    keyPolicyFile: values.key_policy_file,
    keyTags,
    tagBasedKeyDiscovery,
    retagExistingKeys: values.retag_existing_keys ?? false,
    upkeep,
    multiRegion: regions.config,
  };
  return { problems, warnings, config };
}
