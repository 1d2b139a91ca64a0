/** From alias mode to tag mode. */
import type { KeyEntry } from "../key-entry.ts";
import { Pacer } from "../pace/pacer.ts";
import { spireTags } from "../tags/spire-tags.ts";
import { discoverByAlias } from "./alias-discovery.ts";
import type { DiscoveredKeys, TagDiscoveryContext } from "./key-discovery.ts";

/** KMS allows 10 TagResource a second, for the whole account. */
const tagsPerSecond = 8;

/**
 * Tags keys that were found by their alias only.
 *
 * At first with a date that does not pass for kept alive: should we be stopped before the last of them is tagged, the
 * next start looks at the aliases again. The refresh of the tags, which comes when all are done, puts the date right.
 */
export async function migrate(tagged: DiscoveredKeys, context: TagDiscoveryContext): Promise<DiscoveredKeys> {
  const { kms, identity, clock, keepAliveMs, log, signal } = context;
  const byAlias = await discoverByAlias(context);
  const merged = new Map<string, KeyEntry>(tagged.entries);
  const pacer = new Pacer(clock, tagsPerSecond);
  for (const [keyId, entry] of byAlias.entries) {
    // The alias is the older witness: where both exist and differ, it was moved while tag mode was off.
    if (merged.get(keyId)?.keyArn === entry.keyArn) continue;
    const date = new Date(clock.now().getTime() - keepAliveMs - 1_000);
    await pacer.turn(signal);
    await kms.tagResource(entry.keyArn, spireTags(identity, keyId, date), { signal });
    log.info("Key found by its alias is tagged now", {
      key_id: keyId,
      key_arn: entry.keyArn,
      alias_name: entry.aliasName,
    });
    merged.set(keyId, entry);
  }
  const usedAliases = new Set([...merged.values()].map(({ aliasName }) => aliasName));
  const reported = new Set(byAlias.unusable.map(({ aliasName }) => aliasName));
  const others = tagged.unusable.filter(({ aliasName }) => !usedAliases.has(aliasName) && !reported.has(aliasName));
  return {
    ...byAlias,
    entries: merged,
    unusable: [...byAlias.unusable, ...others],
    surplus: tagged.surplus ?? [],
    unattendedMs: Math.max(tagged.unattendedMs, byAlias.unattendedMs),
  };
}
