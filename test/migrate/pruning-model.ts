/**
 * The months after a migration, on plain data: servers refresh their aliases or do not, and every pruning rule is applied,
 * ours (the plans of `prune-plan.ts` themselves) and those of SPIRE's built-in `aws_kms`, its looser comparisons included.
 */

import type { AliasListEntry, KeyMetadata } from "../../src/key-manager/ports.ts";
import { candidateAliases, planStaleAliases, planStaleKeys } from "../../src/key-manager/removal/scans/prune-plan.ts";
import { awsKmsNames } from "../../src/plugin/aws-kms/names.ts";

export interface AccountState {
  readonly aliases: readonly AliasListEntry[];
  readonly keys: readonly KeyMetadata[];
  readonly now: Date;
}

export interface Server {
  readonly trustDomain: string;
  readonly serverId: string;
}

export interface Season {
  readonly days: number;
  /** Servers with `aws_kms` that run and refresh what is theirs. */
  readonly running: readonly Server[];
  /** Servers whose pruning is applied, by either plugin's rules. */
  readonly pruning: readonly Server[];
}

/** A key that is scheduled for deletion. */
export interface ScheduledKey {
  readonly keyArn: string;
  readonly by: "built-in" | "ours";
  readonly rule: "stale alias" | "stale key";
  readonly day: number;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const staleAliasMs = 14 * dayMs;
const staleKeyMs = 2 * dayMs;

const isEnabled = (key: KeyMetadata | undefined): key is KeyMetadata => key?.keyState === "Enabled";

/** Bare prefixes without a slash at the end, as the built-in has them. */
function builtInRules({ aliases, keys, now }: AccountState, { trustDomain, serverId }: Server) {
  const segment = trustDomain.replaceAll(".", "_");
  const [ofTrustDomain, ofServer] = [`alias/SPIRE_SERVER/${segment}`, `alias/SPIRE_SERVER/${segment}/${serverId}`];
  const keyOf = new Map(keys.map((key) => [key.keyId, key]));
  const staleAliases = aliases.flatMap(({ aliasName, targetKeyId, lastUpdatedDate }) => {
    if (lastUpdatedDate === undefined || !aliasName.startsWith(ofTrustDomain) || aliasName.startsWith(ofServer))
      return [];
    const key = keyOf.get(targetKeyId ?? "");
    if (now.getTime() - lastUpdatedDate.getTime() < staleAliasMs || !isEnabled(key)) return [];
    return [{ keyArn: key.arn, rule: "stale alias" as const }];
  });
  const named = new Set(aliases.map(({ targetKeyId }) => targetKeyId));
  const staleKeys = keys.flatMap((key) => {
    const ageMs = now.getTime() - (key.creationDate?.getTime() ?? now.getTime());
    const isOurs = key.description.startsWith(`SPIRE_SERVER_KEY/${segment}`);
    return isEnabled(key) && isOurs && !named.has(key.keyId) && ageMs >= staleKeyMs
      ? [{ keyArn: key.arn, rule: "stale key" as const }]
      : [];
  });
  return [...staleAliases, ...staleKeys];
}

function ourRules({ aliases, keys, now }: AccountState, { trustDomain, serverId }: Server) {
  const names = awsKmsNames(trustDomain, serverId);
  const keyOf = new Map(keys.map((key) => [key.keyId, key]));
  const inUse = new Set(
    aliases.flatMap(({ aliasName, targetKeyId }) =>
      names.isOwnAlias(aliasName) ? [keyOf.get(targetKeyId ?? "")?.arn] : [],
    ),
  );
  const rules = { names, now, maxDeletions: 100, isInUse: (arn: string) => inUse.has(arn) };
  const candidates = candidateAliases(aliases, names).flatMap(({ targetKeyId }) => keyOf.get(targetKeyId ?? "") ?? []);
  const facts = { aliases, keys: new Map(candidates.map((key) => [key.keyId, key])) };
  const hasTwin = keys.some(({ description }) => names.isForeignDescription(description));
  const aliasesOf = new Map(
    keys.map(({ keyId }) => [
      keyId,
      aliases.filter(({ targetKeyId }) => targetKeyId === keyId).map(({ aliasName }) => aliasName),
    ]),
  );
  return [
    ...planStaleAliases(facts, { ...rules, thresholdMs: staleAliasMs }).candidates,
    ...planStaleKeys({ keys, aliases: aliasesOf, hasTwin }, { ...rules, thresholdMs: staleKeyMs }).candidates,
  ].map(({ keyArn, rule }) => ({ keyArn, rule: rule as ScheduledKey["rule"] }));
}

function refreshed(state: AccountState, running: readonly Server[]): AccountState {
  const names = running.map(({ trustDomain, serverId }) => awsKmsNames(trustDomain, serverId));
  const usable = new Set(state.keys.filter(isEnabled).map(({ keyId }) => keyId));
  const aliases = state.aliases.map((alias) =>
    usable.has(alias.targetKeyId ?? "") && names.some(({ isOwnAlias }) => isOwnAlias(alias.aliasName))
      ? { ...alias, lastUpdatedDate: state.now }
      : alias,
  );
  return { ...state, aliases };
}

/** Lives through a season. @returns the first rule that would schedule each key */
export function liveThrough(start: AccountState, { days, running, pruning }: Season): readonly ScheduledKey[] {
  const scheduled = new Map<string, ScheduledKey>();
  let state = start;
  for (let elapsedMs = 0; elapsedMs <= days * dayMs; elapsedMs += 6 * hourMs) {
    state = refreshed({ ...state, now: new Date(start.now.getTime() + elapsedMs) }, running);
    for (const server of pruning) {
      for (const [by, found] of [
        ["built-in", builtInRules(state, server)],
        ["ours", ourRules(state, server)],
      ] as const) {
        for (const { keyArn, rule } of found) {
          const key = `${by} ${keyArn}`;
          if (!scheduled.has(key)) scheduled.set(key, { keyArn, by, rule, day: elapsedMs / dayMs });
        }
      }
    }
  }
  return [...scheduled.values()];
}
