/** The configuration of `kms`, the older plugin: its four settings, and those of ours that make sense for it. */
import * as v from "valibot";
import { type KeyManagerConfig, singleRegion } from "../../key-manager/config.ts";
import type { Preparation } from "../../key-manager/setup.ts";
import { maxAliasLength } from "../key-id-encoding.ts";
import type { PluginData } from "../settings/plugin-data.ts";
import { matching, shown } from "../settings/schemas.ts";
import type { ConfigResult } from "../settings/shared.ts";
import { sharedConfigOf, sharedSettings } from "../settings/shared.ts";
import { checkSettings } from "../settings/table.ts";
import { kmsNames } from "./names.ts";

export interface KmsConfig extends KeyManagerConfig {
  readonly keyPrefix: string;
}

export const defaultKeyPrefix = "SPIRE_SERVER_KEY/";

/** Room for the longest key id of a CA journal, `JWT-Signer-A`. */
const maxPrefixLength = maxAliasLength - "alias/".length - "JWT-Signer-A".length;

/** A string as the operator chose it, as far as KMS takes it in an alias. */
export const keyPrefix = v.pipe(
  matching(
    /^[A-Za-z0-9/_-]*$/,
    "must contain only alphanumeric characters, forward slashes (/), underscores (_), and dashes (-), because it begins the names of aliases",
  ),
  v.check(
    (value) => value === undefined || value.length <= maxPrefixLength,
    (issue) =>
      `has ${String(issue.input).length} characters; it must not be longer than ${maxPrefixLength} characters, so that there is room for key ids in an alias`,
  ),
  v.check((value) => !value?.startsWith("aws/"), "must not start with aws/, which AWS keeps for itself"),
);

const settingTable = { ...sharedSettings, key_prefix: v.optional(keyPrefix) };

/** Every setting of `kms`. */
export const kmsSettingNames: readonly string[] = Object.keys(settingTable);

function warningsAbout(prefix: string): readonly string[] {
  if (!/^SPIRE_SERVER\/./.test(prefix)) return [];
  return [
    `key_prefix ${shown(prefix)} gives keys the names of aws_kms: a server with aws_kms in the trust domain of that name deletes such aliases, with their keys, when they are not refreshed for two weeks, and this plugin does not refresh them`,
  ];
}

/**
 * Checks `plugin_data`. Touches neither files nor AWS.
 *
 * @param _trustDomain names of `kms` do not contain it
 */
export function parseKmsConfig(_trustDomain: string, pluginData: PluginData): ConfigResult<KmsConfig> {
  const checked = checkSettings(settingTable, pluginData);
  if (checked === undefined) return { problems: pluginData.problems, warnings: [] };
  const { values, given } = checked;
  const { shared, problems: sharedProblems, warnings: sharedWarnings } = sharedConfigOf(values, given);
  const problems = [...checked.problems, ...sharedProblems];
  const prefix = values.key_prefix ?? defaultKeyPrefix;
  const warnings = [...sharedWarnings, ...warningsAbout(prefix)];
  if (problems.length > 0 || shared === undefined) return { problems, warnings };
  const config: KmsConfig = {
    ...shared,
    keyPrefix: prefix,
    keyTags: [],
    tagBasedKeyDiscovery: false,
    retagExistingKeys: false,
    // The permissions that the original asked for allow neither scans nor deleting aliases.
    upkeep: undefined,
    // Nothing would refresh or prune replicas.
    multiRegion: singleRegion,
  };
  return { problems, warnings, config };
}

/** The names are all there is to it: no identity, no policy, nothing asked of STS. */
export async function prepareKms({ keyPrefix }: KmsConfig): Promise<Preparation> {
  return {
    names: kmsNames(keyPrefix),
    keyPolicy: async () => undefined,
    identity: undefined,
    commit: async () => undefined,
  };
}
