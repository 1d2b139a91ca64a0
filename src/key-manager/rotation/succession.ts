/**
 * What becomes of the old and of the new key of an id: the new one stands and the old one is on its way out, or the other
 * way round. Until that is certain neither of them goes.
 */

import { KeyManagerError, messageOf } from "../errors.ts";
import { findKey } from "../find-key.ts";
import type { KeyEntry } from "../key-entry.ts";
import type { LogLimits } from "../pace/log-limit.ts";
import { isKmsError } from "../ports.ts";
import type { DeletionQueue } from "../removal/deletion-queue.ts";
import type { DoomedKey } from "../removal/key-deletion.ts";
import type { AliasAssignment } from "./alias-assignment.ts";

export interface KeySuccessionContext extends AliasAssignment {
  readonly deletions: DeletionQueue;
  /** For what every failing call would say again. */
  readonly limits: LogLimits;
  /** Marks a key as not in use any more, before it is scheduled for deletion. */
  readonly retire: (keyArn: string) => Promise<void>;
  /** Whether that leaves a mark on the key. */
  readonly retireMarks: boolean;
  readonly pendingWindowInDays: number;
}

/** The id that the keys are under. */
export interface KeySlot {
  readonly aliasName: string;
  /** The entry of this id at this moment. */
  readonly current: () => KeyEntry | undefined;
  /**
   * Puts the entry in place.
   *
   * @param isOwn whether we have made the key, and not a replica
   * @returns the one it replaced
   */
  readonly replace: (entry: KeyEntry, isOwn: boolean) => KeyEntry | undefined;
  /** Runs a job in turn with the generations of this id. */
  readonly inTurn: (job: () => Promise<void>) => Promise<void>;
}

/** How long an alias call that was given up may still reach KMS before its outcome is asked for. */
const settleMs = 2_000;
/** How long KMS may still show an alias as it was: only then is it believed that the alias does not stand on the new key. */
const staleReadMs = 5_000;
const maxSettleBackoffMs = 60_000;
/** What cannot be found out in a day is left to the scans. */
const giveUpSettlingMs = 24 * 3_600_000;
/** How long after a rotation the alias is looked at once more: longer than a replica's refresh can take. */
const confirmMs = 30_000;

export class KeySuccession {
  readonly #context: KeySuccessionContext;
  readonly #slot: KeySlot;

  constructor(context: KeySuccessionContext, slot: KeySlot) {
    this.#context = context;
    this.#slot = slot;
  }

  /**
   * The alias stands on the new key: it takes its place, and what was there goes.
   *
   * @param others ARNs of further keys that are of no use any more
   */
  adopt(entry: KeyEntry, others: readonly (string | undefined)[] = [], isOwn = true): KeyEntry {
    const replaced = this.#slot.replace(entry, isOwn);
    for (const keyArn of new Set([replaced?.keyArn, ...others])) {
      if (keyArn === undefined || keyArn === entry.keyArn) continue;
      this.#doom(keyArn, "rotated", {
        before: async () => {
          await this.#keepRotation(keyArn);
          return true;
        },
        // Once the key is pending deletion KMS puts no alias on it any more: this look is the last that is needed.
        after: () => this.#keepRotation(keyArn),
      });
      void this.#confirm(keyArn);
    }
    return entry;
  }

  /**
   * The new key was not to be: it goes.
   *
   * @param entry the key, if its alias has been asked for; should it turn out to stand there all the same, the key stays
   * @param purpose what it could still be used for ({@link DoomedKey.purpose})
   */
  abandon(keyArn: string, entry?: KeyEntry, purpose?: string): void {
    const { kms, log, limits } = this.#context;
    // The deletion itself names each key, when it is done.
    limits.run("generation failed", (more) =>
      log.warn("Key generation failed: the new key will be scheduled for deletion", { key_arn: keyArn, ...more }),
    );
    this.#doom(keyArn, "generation failed", {
      purpose,
      before: async () => {
        if (entry === undefined) return true;
        const target = await findKey(kms, entry.aliasName);
        if (target?.arn !== keyArn) return true;
        void this.#settle(entry, 0);
        return false;
      },
    });
  }

  /** The alias call failed: the key goes, but only once it is certain that the alias does not stand on it. */
  undoAlias(entry: KeyEntry, error: unknown, purpose?: string): void {
    const isRefused = error instanceof KeyManagerError || (isKmsError(error) && !error.outcomeUnknown);
    if (isRefused) this.abandon(entry.keyArn, entry, purpose);
    else void this.#settle(entry, settleMs);
  }

  /**
   * Makes sure that the alias does not stand on the replaced key again: a replica that refreshed the alias while we
   * moved it may have put it back.
   */
  async #keepRotation(replacedArn: string): Promise<void> {
    const { kms, log } = this.#context;
    const { aliasName, current: currentEntry } = this.#slot;
    const target = await findKey(kms, aliasName);
    const current = currentEntry();
    if (target?.arn !== replacedArn || current === undefined || current.keyArn === replacedArn) return;
    log.warn("The alias was moved back to the replaced key: pointing it at the new key again", {
      alias_name: aliasName,
      key_arn: current.keyArn,
      replaced_key_arn: replacedArn,
    });
    await kms.updateAlias(aliasName, current.keyArn);
  }

  async #confirm(replacedArn: string): Promise<void> {
    const { clock, log } = this.#context;
    try {
      await clock.sleep(confirmMs);
      await this.#keepRotation(replacedArn);
    } catch (error) {
      log.debug("Could not confirm where the alias points", {
        alias_name: this.#slot.aliasName,
        reason: messageOf(error),
      });
    }
  }

  #doom(keyArn: string, reason: string, steps: Pick<DoomedKey, "before" | "after" | "purpose">): void {
    const { deletions, kms, names, pendingWindowInDays, retire, retireMarks } = this.#context;
    const reminder = names.reminders?.aliasFor(keyArn);
    deletions.add({
      ...steps,
      // A marked key is no longer as it was made.
      purpose: retireMarks ? undefined : steps.purpose,
      kms,
      keyArn,
      reminder,
      aliasName: this.#slot.aliasName,
      pendingWindowInDays,
      reason,
      isOwn: true,
      async before(signal) {
        if ((await steps.before?.(signal)) === false) return false;
        await retire(keyArn);
        return true;
      },
    });
  }

  /** @param delayMs how long the failed call may still be on its way to KMS */
  async #settle(entry: KeyEntry, delayMs: number): Promise<void> {
    const { clock, log } = this.#context;
    const { inTurn } = this.#slot;
    const begunAt = clock.now().getTime();
    const giveUpAt = begunAt + giveUpSettlingMs;
    await clock.sleep(delayMs);
    for (let backoffMs = settleMs; ; backoffMs = Math.min(backoffMs * 2, maxSettleBackoffMs)) {
      try {
        return await inTurn(() => this.#settleNow(entry, begunAt + staleReadMs));
      } catch (error) {
        const fields = { alias_name: entry.aliasName, key_arn: entry.keyArn, reason: messageOf(error) };
        log.debug("Cannot yet tell where the alias points", fields);
        if (clock.now().getTime() > giveUpAt) {
          log.error("Cannot tell whether a new key is in use: it is left to the scans", fields);
          return;
        }
        await clock.sleep(backoffMs);
      }
    }
  }

  /** @param believeAt from when on KMS is believed that the alias does not stand on the key */
  async #settleNow(entry: KeyEntry, believeAt: number): Promise<void> {
    const { kms, clock, log } = this.#context;
    const target = await findKey(kms, entry.aliasName);
    if (target?.arn !== entry.keyArn) {
      if (clock.now().getTime() < believeAt) throw new Error("KMS does not show the alias on the new key, or not yet");
      this.abandon(entry.keyArn, entry);
      return;
    }
    log.warn("The alias had moved although KMS's answer was lost: the new key is in use", {
      alias_name: entry.aliasName,
      key_arn: entry.keyArn,
    });
    this.adopt(entry);
  }
}
