/** A key of this server that was replaced while something was still done for it: it goes like any other that was rotated. */
import type { DeletionOutcome } from "../deletions.ts";
import type { KeyEntry } from "../keys/key-entry.ts";
import type { Setup } from "../setup.ts";
import { ownKeySet } from "./own-key-set.ts";
import { whyOwnKeyStays } from "./ownership.ts";

export function scheduleReplaced({ keyArn, keyId, aliasName }: KeyEntry, setup: Setup): Promise<DeletionOutcome> {
  const { deletions, kms, names, config, tags, ring, regions } = setup;
  return deletions.schedule({
    kms,
    keyArn,
    aliasName,
    pendingWindowInDays: config.pendingWindowInDays,
    rule: "rotated",
    isOwn: true,
    slot: { keyId, aliasName, ring },
    mayStay: (facts) => whyOwnKeyStays(facts, { names, keyId, lookedAfter: regions.lookedAfter }),
    set: ownKeySet(setup, { keyId, aliasName }),
    markInactive: (marked) => tags.markInactive(marked),
  });
}
