/** The members in other Regions of a key that a scan has found: each must be stale where it is, or all of them stay. */
import type { KeyFacts, KeySetRequest, MemberContext } from "../../deletions.ts";
import type { KeyNames } from "../../names.ts";
import type { ScanSetup } from "../../setup.ts";
import { whyNotSpires } from "../ownership.ts";
import { LastUsage } from "./last-usage.ts";
import { isStaleAlias } from "./prune-plan.ts";

export interface StaleMemberRules {
  readonly names: KeyNames;
  readonly lookedAfter: readonly string[];
  /** KMS's time in the member's Region. */
  readonly now: Date;
  /** For how long its aliases must not have been refreshed. */
  readonly aliasThresholdMs: number;
  /** How old it must be. */
  readonly thresholdMs: number;
}

/** Pure. @returns why the member stays */
export function whyStaleMemberStays({ key, aliases }: KeyFacts, rules: StaleMemberRules): string | undefined {
  const { names, lookedAfter, now, aliasThresholdMs, thresholdMs } = rules;
  if (names.trustDomainOf(key.description) !== "own") {
    return `its description ${JSON.stringify(key.description)} is not certainly this trust domain's`;
  }
  if (key.keyState !== "Enabled") return `it is ${key.keyState}`;
  const foreign = aliases.find(({ aliasName }) => !names.isTrustDomainAlias(aliasName));
  if (foreign !== undefined) return `alias ${foreign.aliasName} is none of SPIRE's`;
  const fresh = aliases.find((alias) => !isStaleAlias(alias, { now, thresholdMs: aliasThresholdMs }));
  if (fresh !== undefined) return `alias ${fresh.aliasName} is fresh`;
  if (key.creationDate === undefined || now.getTime() - key.creationDate.getTime() < thresholdMs) return "it is new";
  return whyNotSpires(key, lookedAfter);
}

/** @returns undefined for a server without replicas: a key that has some is not pruned */
export function staleKeySet(setup: ScanSetup, thresholdMs: number): KeySetRequest | undefined {
  const { regions, names, kmsTime, log, config, tags } = setup;
  const { lookedAfter } = regions;
  if (lookedAfter.length === 0) return undefined;
  const aliasThresholdMs = Math.max(thresholdMs, config.upkeep?.staleAliasThresholdMs ?? Number.POSITIVE_INFINITY);
  const usage = new Map<string, LastUsage>();
  const usageIn = ({ region, kms }: MemberContext): LastUsage => {
    const known = usage.get(region) ?? new LastUsage({ kms, log });
    usage.set(region, known);
    return known;
  };
  return {
    regions,
    async whyMemberStays(facts, context) {
      const reading = kmsTime.read(facts.now);
      const rules = { names, lookedAfter, aliasThresholdMs, thresholdMs };
      const reason =
        "doubt" in reading
          ? reading.doubt
          : (whyStaleMemberStays(facts, { ...rules, now: reading.now }) ??
            (await usageIn(context).whyUsed(facts.key.arn, reading.now, thresholdMs, context.signal)));
      return reason === undefined ? undefined : { spared: `in ${context.region}: ${reason}` };
    },
    markInactive: (keyArn, kms) => tags.with(kms).markInactive(keyArn),
  };
}
