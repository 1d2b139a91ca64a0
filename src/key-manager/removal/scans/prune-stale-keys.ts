/**
 * Prunes orphans: keys of this trust domain that no alias stands for, which failed generations and crashes left behind.
 *
 * ListKeys tells ids only, so each key has to be described once. A key once seen as another owner's is remembered, and
 * a scan costs what changed, not what exists.
 */

import type { KeyFacts } from "../../deletions.ts";
import { ScanTime, type TimeReading } from "../../pace/kms-time.ts";
import { Pacer } from "../../pace/pacer.ts";
import type { Task } from "../../pace/task.ts";
import { isKmsError, type KeyMetadata } from "../../ports.ts";
import { commonRules, nothingFound, type PruneOptions, pruneAll, pruneThroughQueue, whyNotPlanned } from "./prune.ts";
import { planStaleKeys } from "./prune-plan.ts";

export interface PruneStaleKeysOptions extends PruneOptions {
  readonly thresholdMs: number;
}

/** KMS allows 2,000 DescribeKey a second; signing and everybody else want theirs. */
const describesPerSecond = 100;
const name = "prune stale keys";
const dayMs = 86_400_000;
/** A foreign key's description is looked at again after this long, in case it was changed. */
const foreignMemoryMs = 90 * dayMs;
/** So many of those in one scan: what was learnt in one scan must not be asked again in one. */
const maxAskedAgain = 50;

type Memory =
  | { readonly kind: "skip"; readonly untilMs: number }
  | { readonly kind: "ours"; readonly key: KeyMetadata };

export function pruneStaleKeysTask(options: PruneStaleKeysOptions): Task {
  const { setup, thresholdMs, intervalMs } = options;
  const { kms, names, clock, ring, kmsTime } = setup;
  const memory = new Map<string, Memory>();
  const pacer = new Pacer(clock, describesPerSecond);
  let hasTwin = false;

  const nowMs = () => clock.now().getTime();

  function remember(keyId: string, key: KeyMetadata): void {
    if (names.isForeignDescription(key.description)) hasTwin = true;
    if (key.deletionDate !== undefined) {
      // It is scheduled for deletion already; should that be cancelled, it is looked at anew.
      memory.set(keyId, { kind: "skip", untilMs: key.deletionDate.getTime() });
    } else if (names.trustDomainOf(key.description) === "foreign") {
      memory.set(keyId, { kind: "skip", untilMs: nowMs() + foreignMemoryMs });
    } else {
      memory.set(keyId, { kind: "ours", key });
    }
  }

  async function describe(keyId: string, signal: AbortSignal): Promise<void> {
    await pacer.turn(signal);
    const key = await options.describe(keyId, signal);
    if (key === "NOT_FOUND") memory.delete(keyId);
    else if (key === "ACCESS_DENIED") memory.set(keyId, { kind: "skip", untilMs: nowMs() + foreignMemoryMs });
    else remember(keyId, key);
  }

  /** Lists all keys, describes those not known yet, forgets those that no longer exist. */
  async function learn(signal: AbortSignal): Promise<{ reading: TimeReading; listed: number; described: number }> {
    const seen = new Set<string>();
    const time = new ScanTime(kmsTime);
    let described = 0;
    let askedAgain = 0;
    for await (const page of kms.listKeys({ signal })) {
      time.note(page.serverTime);
      for (const { keyId } of page.items) {
        seen.add(keyId);
        const known = memory.get(keyId);
        if (known?.kind === "ours") continue;
        if (known !== undefined && (known.untilMs > nowMs() || ++askedAgain > maxAskedAgain)) continue;
        await describe(keyId, signal);
        described++;
      }
    }
    for (const keyId of memory.keys()) if (!seen.has(keyId)) memory.delete(keyId);
    return { reading: time.reading, listed: seen.size, described };
  }

  const aliasesOf = async (keyId: string, signal: AbortSignal): Promise<readonly string[] | undefined> => {
    const aliases: string[] = [];
    try {
      for await (const page of kms.listAliases(keyId, { signal })) {
        aliases.push(...page.items.map(({ aliasName }) => aliasName));
      }
      return aliases;
    } catch (error) {
      if (isKmsError(error, "NOT_FOUND")) return undefined;
      throw error;
    }
  };

  const ours = (): readonly KeyMetadata[] =>
    [...memory.values()].flatMap((known) => (known.kind === "ours" ? [known.key] : []));

  /** The keys that are old enough, as they are now, with their aliases. */
  async function gather(now: Date, signal: AbortSignal) {
    const old = ours().filter(({ creationDate, arn }) => {
      return creationDate !== undefined && now.getTime() - creationDate.getTime() >= thresholdMs && !ring.uses(arn);
    });
    const aliases = new Map<string, readonly string[]>();
    for (const { keyId } of old) {
      await pacer.turn(signal);
      const found = await aliasesOf(keyId, signal);
      if (found !== undefined) aliases.set(keyId, found);
      // What has no alias may have been scheduled for deletion or disabled since it was described.
      if (found?.length === 0) await describe(keyId, signal);
    }
    const oldIds = new Set(old.map(({ keyId }) => keyId));
    return { keys: ours().filter(({ keyId }) => oldIds.has(keyId)), aliases };
  }

  return {
    name,
    consequence: "keys that failed generations and crashes left behind are not pruned",
    intervalMs,
    async runOnce(signal) {
      const { reading, listed, described } = await learn(signal);
      if ("doubt" in reading) return { listed, described, ...nothingFound(options, name, reading.doubt) };
      const { now } = reading;
      const facts = await gather(now, signal);
      const rules = { ...commonRules(options), thresholdMs };
      const plan = planStaleKeys({ ...facts, hasTwin }, { ...rules, now });
      const mayStay = ({ key, aliases }: KeyFacts, later: Date) => {
        // It waits, but in the queue that asks.
        const laterRules = { ...rules, now: later, isWaiting: () => false };
        const names = aliases.map(({ aliasName }) => aliasName);
        const alias = names[0];
        if (alias !== undefined) return `alias ${alias} stands on the key`;
        return whyNotPlanned(
          planStaleKeys({ keys: [key], aliases: new Map([[key.keyId, names]]), hasTwin }, laterRules),
        );
      };
      const prune = pruneThroughQueue(options, () => ({ thresholdMs, mayStay }));
      const report = await pruneAll(plan, options, prune, signal);
      return { listed, described, ...report };
    },
  };
}
