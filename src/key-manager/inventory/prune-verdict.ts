/** What the scans do with one key: asked of their own plans, each for this one key, as they do themselves at their second look. */
import type { KeyMetadata } from "../ports.ts";
import { type PrunePlan, planStaleAliases, planStaleKeys, planTaggedKeys } from "../removal/scans/prune-plan.ts";
import type { SpireTags } from "../tags/spire-tags.ts";
import type { InventoryFacts, JudgeContext } from "./inventory-facts.ts";
import type { PruneVerdict } from "./key-row.ts";

const rulesOf = (
  { names, now, prunesAmbiguous, lookedAfter = [] }: JudgeContext,
  tags: SpireTags | undefined,
  staleMs: number,
) => ({
  names,
  now,
  thresholdMs: staleMs,
  maxDeletions: Number.MAX_SAFE_INTEGER,
  isInUse: () => false,
  prunesAmbiguous,
  lookedAfter,
  isOwnByTags: () => tags !== undefined,
  isRefreshedByTags: () => isFresh(tags, now, staleMs),
});

const isFresh = (tags: SpireTags | undefined, now: Date, withinMs: number): boolean =>
  tags?.lastUpdate !== undefined && tags.active && now.getTime() - tags.lastUpdate.getTime() < withinMs;

const verdictOf = ({ candidates, spared }: PrunePlan): PruneVerdict | undefined => {
  const [candidate] = candidates;
  if (candidate !== undefined) return { kind: "goes", rule: candidate.rule };
  const [stays] = spared;
  return stays && { kind: "stays", reason: stays.reason };
};

/** What the scans of any server of the trust domain do with the key. */
export function pruneVerdict(facts: InventoryFacts, key: KeyMetadata, context: JudgeContext): PruneVerdict | undefined {
  const { aliases, tags, areAliasesKnown } = facts;
  const { twin, staleAliasMs, staleKeyMs, trustDomain } = context;
  if (!context.isPruned || !areAliasesKnown) return undefined;
  const hasTwin = twin !== undefined;
  const byAlias = verdictOf(
    planStaleAliases(
      { aliases, keys: new Map([...(twin ? [[twin.keyId, twin] as const] : []), [key.keyId, key]]) },
      rulesOf(context, tags, staleAliasMs),
    ),
  );
  if (tags === undefined || trustDomain === undefined) {
    const names = new Map([[key.keyId, aliases.map(({ aliasName }) => aliasName)]]);
    return (
      byAlias ?? verdictOf(planStaleKeys({ keys: [key], aliases: names, hasTwin }, rulesOf(context, tags, staleKeyMs)))
    );
  }
  const identity = { trustDomain, serverId: "" };
  const rules = rulesOf(context, tags, staleAliasMs);
  return (
    byAlias ?? verdictOf(planTaggedKeys([{ key, tags, aliases }], { ...rules, identity, ownThresholdMs: staleKeyMs }))
  );
}
