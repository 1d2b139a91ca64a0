/**
 * What becomes of the old and of the new key of an id: the new one stands and the old one is on its way to deletion, or
 * the other way round. Until that is certain neither of them goes.
 */
import type { DeletionOutcome, DeletionRequest, KeySlot } from "../deletions.ts";
import { KeyManagerError, messageOf } from "../errors.ts";
import { findKey } from "../keys/find-key.ts";
import type { KeyEntry } from "../keys/key-entry.ts";
import { isKmsError } from "../ports.ts";
import { keepAliasOff } from "../removal/alias-guard.ts";
import { ownKeySet } from "../removal/own-key-set.ts";
import { whyOwnKeyStays } from "../removal/ownership.ts";
import type { Setup } from "../setup.ts";

/** How long an alias call that was given up may still reach KMS before its outcome is asked for. */
const settleMs = 2_000;
/** How long KMS may still show an alias as it was: only then is it believed that the alias does not stand on the new key. */
const staleReadMs = 5_000;
const maxSettleBackoffMs = 60_000;
/** What cannot be found out in a day is left to the scans. */
const giveUpSettlingMs = 24 * 3_600_000;
/** How long after a rotation the alias is looked at once more: longer than a replica's refresh can take. */
const confirmMs = 30_000;

/** What is known of a key that takes its place. */
export interface Successor {
  /** ARNs of further keys that are of no use any more. */
  readonly others?: readonly (string | undefined)[];
  /** Whether we have made the key, and not a replica. */
  readonly isOwn?: boolean;
  /** Of the call that put the alias on it; undefined where its answer was lost, or the call another process's. */
  readonly requestId?: string | undefined;
}

export class Succession {
  readonly #setup: Setup;
  readonly #slot: KeySlot;
  readonly #signal: AbortSignal | undefined;

  /** @param signal the caller's: a caller who has given up does not learn of the key */
  constructor(setup: Setup, slot: KeySlot, signal: AbortSignal | undefined) {
    this.#setup = setup;
    this.#slot = slot;
    this.#signal = signal;
  }

  /**
   * The alias stands on the new key: it takes its place, and what was there goes.
   *
   * @returns the entry
   */
  takePlace(entry: KeyEntry, { others = [], isOwn = true, requestId }: Successor = {}): KeyEntry {
    const { ring } = this.#slot;
    const replaced = ring.putNew(entry, !isOwn || this.#signal?.aborted !== true);
    // The key is in use from now on, whatever becomes of its replicas.
    if (isOwn) this.#setup.replication.bring(entry);
    if (replaced !== undefined && replaced.keyArn !== entry.keyArn) {
      const { keyId, keyArn } = entry;
      this.#setup.log.info("Key rotated", {
        key_id: keyId,
        key_arn: keyArn,
        replaced_key_arn: replaced.keyArn,
        request_id: requestId,
      });
    }
    for (const keyArn of new Set([replaced?.keyArn, ...others])) {
      if (keyArn === undefined || keyArn === entry.keyArn) continue;
      void this.#schedule(keyArn, "rotated", { slot: this.#slot });
      void this.#confirm(keyArn);
    }
    return entry;
  }

  /**
   * The new key was not to be: it goes.
   *
   * @param entry the key, if its alias has been asked for; should it turn out to stand there all the same, the key stays
   * @param purpose what it could still be used for ({@link DeletionRequest.purpose})
   */
  giveUp(keyArn: string, entry?: KeyEntry, purpose?: string): void {
    const { log, limits } = this.#setup;
    // The deletion itself names each key, when it is done.
    limits.run("generation failed", (more) =>
      log.warn("Key generation failed: the new key will be scheduled for deletion", { key_arn: keyArn, ...more }),
    );
    const unlessAlias = entry?.aliasName;
    void this.#schedule(keyArn, "generation failed", { unlessAlias, purpose }).then((outcome) => {
      if (outcome === "in use" && entry !== undefined) void this.#settle(entry, 0);
    });
  }

  /** The alias call failed: the key goes, but only once it is certain that the alias does not stand on it. */
  undoAlias(entry: KeyEntry, error: unknown, purpose?: string): void {
    const isRefused = error instanceof KeyManagerError || (isKmsError(error) && !error.outcomeUnknown);
    if (isRefused) this.giveUp(entry.keyArn, entry, purpose);
    else void this.#settle(entry, settleMs);
  }

  #schedule(
    keyArn: string,
    rule: "rotated" | "generation failed",
    more: Pick<DeletionRequest, "slot" | "unlessAlias" | "purpose">,
  ): Promise<DeletionOutcome> {
    const { deletions, kms, names, config, tags, regions } = this.#setup;
    const { keyId, aliasName } = this.#slot;
    return deletions.schedule({
      ...more,
      kms,
      keyArn,
      aliasName,
      pendingWindowInDays: config.pendingWindowInDays,
      rule,
      isOwn: true,
      mayStay: (facts) => whyOwnKeyStays(facts, { names, keyId, lookedAfter: regions.lookedAfter }),
      set: ownKeySet(this.#setup, this.#slot),
      // In tag mode the key is marked inactive first, so that it is no longer as it was made.
      purpose: tags.identity === undefined ? more.purpose : undefined,
      reminder: names.reminders?.aliasFor(keyArn),
      markInactive: (marked) => tags.markInactive(marked),
    });
  }

  /** A replica that refreshed the alias while we moved it may have put it back. */
  async #confirm(replacedArn: string): Promise<void> {
    const { clock, log, kms } = this.#setup;
    try {
      await clock.sleep(confirmMs);
      await keepAliasOff(replacedArn, this.#slot, { kms, log });
    } catch (error) {
      log.debug("Could not confirm where the alias points", {
        alias_name: this.#slot.aliasName,
        reason: messageOf(error),
      });
    }
  }

  /** @param delayMs how long the failed call may still be on its way to KMS */
  async #settle(entry: KeyEntry, delayMs: number): Promise<void> {
    const { clock, log } = this.#setup;
    const { ring, keyId } = this.#slot;
    const begunAt = clock.elapsedMs();
    const giveUpAt = begunAt + giveUpSettlingMs;
    await clock.sleep(delayMs);
    for (let backoffMs = settleMs; ; backoffMs = Math.min(backoffMs * 2, maxSettleBackoffMs)) {
      try {
        return await ring.inTurn(keyId, () => this.#settleNow(entry, begunAt + staleReadMs));
      } catch (error) {
        const fields = { alias_name: entry.aliasName, key_arn: entry.keyArn, reason: messageOf(error) };
        log.debug("Cannot yet tell where the alias points", fields);
        if (clock.elapsedMs() > giveUpAt) {
          log.error("Cannot tell whether a new key is in use: it is left to the scans", fields);
          return;
        }
        await clock.sleep(backoffMs);
      }
    }
  }

  /** @param believeAt from when on KMS is believed that the alias does not stand on the key */
  async #settleNow(entry: KeyEntry, believeAt: number): Promise<void> {
    const { kms, clock, log } = this.#setup;
    const target = await findKey(kms, entry.aliasName);
    if (target?.arn !== entry.keyArn) {
      if (clock.elapsedMs() < believeAt) throw new Error("KMS does not show the alias on the new key, or not yet");
      this.giveUp(entry.keyArn, entry);
      return;
    }
    log.warn("The alias had moved although KMS's answer was lost: the new key is in use", {
      alias_name: entry.aliasName,
      key_arn: entry.keyArn,
    });
    this.takePlace(entry);
  }
}
