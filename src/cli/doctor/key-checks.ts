/** What the keys themselves tell: stale ones, look-alikes, names, quotas, and what SPIRE's built-in plugin would find. */

import { KeyManagerError } from "../../key-manager/errors.ts";
import type { InventorySummary } from "../../key-manager/inventory/inventory.ts";
import type { KeyRow } from "../../key-manager/inventory/key-row.ts";
import { trustDomainSegment } from "../../plugin/aws-kms/names.ts";
import { decodeBuiltInKeyId, maxAliasLength } from "../../plugin/key-id-encoding.ts";
import type { AwsKmsConfiguration, CommandConfiguration } from "../configuration/configuration.ts";
import type { Findings } from "./finding.ts";

const dayMs = 86_400_000;
/** AWS's default quota of KMS keys in a Region. */
const keyQuota = 100_000;
/** Ids that SPIRE gives its keys; the ACME account key of the bundle endpoint is the longest. */
const usualKeyIds = ["x509-CA-A", "JWT-Signer-A", "WIT-Signer-A"];
const longKeyId = "bundle-acme-acme-v02.api.letsencrypt.org-account";

export interface SeenKeys {
  readonly rows: readonly KeyRow[];
  readonly summary: InventorySummary;
  /** Every alias of the account and Region. */
  readonly aliasNames: readonly string[];
}

const list = (items: readonly string[]): string => {
  const shown = items.slice(0, 5).join(", ");
  return items.length > 5 ? `${shown} and ${items.length - 5} more` : shown;
};
const nameOf = ({ aliasName, keyId }: KeyRow): string => aliasName ?? keyId;

/** Own keys, and what other servers' keys look like. */
export function checkStale({ rows, summary }: SeenKeys, { config }: CommandConfiguration, findings: Findings): void {
  const own = rows.filter(({ isOwnServer }) => isOwnServer);
  const unusable = own.filter((row) => row.class === "unusable");
  if (unusable.length > 0) {
    const told = `keys of this server cannot be used: ${list(unusable.map((row) => `${nameOf(row)} (${row.why})`))}`;
    if (config.strictKeyDiscovery)
      findings.problem(`${told}; strict_key_discovery fails the start`, "bring them back, or remove their aliases");
    else findings.warning(`${told}; SPIRE makes new ones`, "bring them back, if they are still needed");
  }
  const { upkeep } = config;
  if (upkeep === undefined) return;
  const ageMs = ({ refreshedAt }: KeyRow) => summary.now.getTime() - (refreshedAt ?? summary.now).getTime();
  const late = own.filter((row) => row.class !== "unusable" && ageMs(row) > 2 * upkeep.aliasRefreshIntervalMs);
  if (late.length > 0) {
    const worst = Math.max(...late.map(ageMs));
    const left = upkeep.staleAliasThresholdMs - worst;
    const when =
      left < 0
        ? "other servers schedule them for deletion already"
        : `other servers schedule them for deletion in ${Math.floor(left / dayMs)} days`;
    findings.warning(
      `${late.length} keys of this server have not been refreshed for up to ${Math.floor(worst / 3_600_000)} h; ${when}`,
      "start the server, and see in its log why it does not refresh (kms:UpdateAlias)",
    );
  } else if (own.length > 0) findings.ok(`${own.length} keys of this server, all refreshed in time`);
  const soon = rows.filter(
    (row) =>
      !row.isOwnServer &&
      row.class === "in use" &&
      row.staleAt !== undefined &&
      row.staleAt.getTime() - summary.now.getTime() < 3 * dayMs,
  );
  if (soon.length > 0)
    findings.warning(
      `keys of other servers will be stale within 3 days: ${list(soon.map(nameOf))}`,
      "look whether these servers still run",
    );
  if (summary.prunable > 0)
    findings.warning(
      `${summary.prunable} keys are stale or orphaned, and cost money until a scan takes them`,
      "spire-aws-kms prune --dry-run shows them",
    );
}

/** Trust domains whose names look like this one's in aliases. */
export function checkLookAlikes(
  { rows, aliasNames }: SeenKeys,
  configuration: AwsKmsConfiguration,
  findings: Findings,
): void {
  const { trustDomain, config } = configuration;
  const segment = trustDomainSegment(trustDomain);
  const twins = rows.filter(
    (row) => row.class === "foreign" && row.aliasName !== undefined && row.description?.startsWith("SPIRE_SERVER/"),
  );
  if (twins.length > 0) {
    const names = [...new Set(twins.map(({ description = "" }) => description.slice("SPIRE_SERVER/".length)))];
    findings.warning(
      `trust domain ${list(names)} is written like ${trustDomain} in aliases; keys that do not tell which of both they are of are not pruned`,
      config.upkeep?.pruneAmbiguousKeys
        ? "unset prune_ambiguous_keys"
        : "use other accounts or Regions for them, or live with such keys",
    );
  }
  const segments = new Set(aliasNames.flatMap((name) => /^alias\/SPIRE_SERVER\/([^/]+)\//.exec(name)?.[1] ?? []));
  const longer = [...segments].filter((other) => other !== segment && other.startsWith(segment));
  const shorter = [...segments].filter((other) => other !== segment && segment.startsWith(other));
  if (longer.length + shorter.length > 0) {
    findings.warning(
      `${list([...longer, ...shorter])} begins like ${segment}: servers with SPIRE's built-in aws_kms take stale keys of the longer name for their own, and delete them`,
      "run all servers of these trust domains with this plugin, or in other accounts or Regions",
    );
  } else if (twins.length === 0) findings.ok("no trust domain in this account and Region looks like this one");
}

/** Whether KMS takes the aliases. */
export function checkNames({ names }: CommandConfiguration, findings: Findings): void {
  try {
    const lengths = usualKeyIds.map((keyId) => names.aliasFor(keyId).length);
    findings.ok(
      `aliases have up to ${Math.max(...lengths)} characters for SPIRE's usual key ids, of ${maxAliasLength}`,
    );
  } catch (error) {
    if (!(error instanceof KeyManagerError)) throw error;
    findings.problem(error.message, `shorten ${names.setting}`);
    return;
  }
  try {
    names.aliasFor(longKeyId);
  } catch (error) {
    if (!(error instanceof KeyManagerError)) throw error;
    findings.warning(
      `there is no room for the key ids of the bundle endpoint's ACME account: ${error.message}`,
      `shorten ${names.setting}, if the bundle endpoint uses ACME`,
    );
  }
}

export function checkQuotas({ rows, summary }: SeenKeys, { config }: CommandConfiguration, findings: Findings): void {
  const { keysInRegion } = summary;
  if (keysInRegion === undefined) {
    findings.unknown(
      "how many keys the account has in the Region cannot be told without kms:ListKeys",
      "look at Service Quotas",
    );
  } else {
    const told = `the account has ${keysInRegion.toLocaleString("en-US")} keys in ${config.region}; AWS's default quota is ${keyQuota.toLocaleString("en-US")}`;
    if (keysInRegion >= keyQuota)
      findings.unknown(`${told}, so it must have been raised`, "look at Service Quotas how far");
    else if (keysInRegion > 0.8 * keyQuota)
      findings.warning(told, "raise the quota, and spire-aws-kms keys --all-regions shows what is not needed");
    else findings.ok(told);
  }
  const live = rows.filter(({ isOwnServer, keyState }) => isOwnServer && keyState === "Enabled").length;
  const { maxLiveKeys } = config;
  if (maxLiveKeys > 0 && live >= maxLiveKeys) {
    findings.problem(
      `this server has ${live} keys, and max_live_keys is ${maxLiveKeys}: no key can be made`,
      "raise max_live_keys, or find out why it has so many",
    );
  } else if (maxLiveKeys > 0 && live > 0.8 * maxLiveKeys) {
    findings.warning(
      `this server has ${live} keys, and max_live_keys is ${maxLiveKeys}`,
      "find out why it has so many",
    );
  }
}

/** Aliases that only one of both plugins takes for this server's, and those that both take for different ids. */
export function checkBuiltIn(
  { rows, aliasNames }: SeenKeys,
  configuration: AwsKmsConfiguration,
  findings: Findings,
): void {
  const { names, trustDomain, serverId } = configuration;
  if (serverId === undefined) {
    findings.unknown(
      "without a server id it cannot be told which keys SPIRE's built-in plugin would find",
      "--server-id or --identifier-file names it",
    );
    return;
  }
  // The built-in plugin compares whole texts, not whole segments.
  const builtInPrefix = `alias/SPIRE_SERVER/${trustDomainSegment(trustDomain)}/${serverId}`;
  const byKey = new Map(rows.map((row) => [row.aliasName, row]));
  const foreign = new Set(rows.filter((row) => row.class === "foreign").map(({ aliasName }) => aliasName));
  const isOurs = (aliasName: string) => names.isOwnAlias(aliasName) && !foreign.has(aliasName);
  const builtInOnly = aliasNames.filter((name) => name.startsWith(builtInPrefix) && !isOurs(name));
  const oursOnly = aliasNames.filter((name) => isOurs(name) && !name.startsWith(builtInPrefix));
  const otherIds = aliasNames.filter((name) => {
    const found = byKey.get(name);
    const last = name.slice(name.lastIndexOf("/") + 1);
    return isOurs(name) && found?.spireKeyId !== undefined && decodeBuiltInKeyId(last) !== found.spireKeyId;
  });
  const broken = rows.filter((row) => row.isOwnServer && row.class === "unusable");
  if (builtInOnly.length > 0) {
    findings.warning(
      `SPIRE's built-in aws_kms would take ${list(builtInOnly)} for this server's, and this plugin does not`,
      "right if they are another server's, whose id begins like this one's; do not go back to the built-in plugin before they have other ids",
    );
  }
  if (oursOnly.length > 0)
    findings.warning(
      `only this plugin finds ${list(oursOnly)}`,
      "before going back to the built-in plugin, let SPIRE rotate them",
    );
  if (otherIds.length > 0)
    findings.warning(
      `the built-in plugin reads other key ids in ${list(otherIds)}`,
      "before going back to it, let SPIRE rotate them",
    );
  if (broken.length > 0)
    findings.warning(
      `the built-in plugin would not start at all with ${list(broken.map(nameOf))}`,
      "bring these keys back, or remove their aliases, before going back to it",
    );
  if (builtInOnly.length + oursOnly.length + otherIds.length + broken.length === 0) {
    findings.ok("this plugin and SPIRE's built-in aws_kms find the same keys");
  }
}
