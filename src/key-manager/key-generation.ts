/**
 * One GenerateKey, from CreateKey to the swapped entry, and the way back from every step.
 *
 * CreateKey has no idempotency token, so it is sent once, never repeated, and never torn off: when the caller gives up
 * we still wait for KMS's answer, to know which key must be scheduled for deletion.
 */
import { type AliasAssignment, type AliasOutcome, assignAlias, targetOf } from "./alias-assignment.ts";
import type { CreationCeiling } from "./creation-ceiling.ts";
import type { DeletionQueue } from "./deletion-queue.ts";
import { examineAlias } from "./discovery/alias-discovery.ts";
import { KeyManagerError, keyManagerError, messageOf } from "./errors.ts";
import { createKeyEntry, type KeyEntry } from "./key-entry.ts";
import { type KeyType, keySpecOf } from "./key-type.ts";
import { isKmsError, type KeyMetadata, type Tag } from "./ports.ts";
import type { Telemetry } from "./telemetry.ts";
import { whenVisible } from "./visibility.ts";

export interface KeyGenerationContext extends AliasAssignment {
  readonly deletions: DeletionQueue;
  readonly ceiling: CreationCeiling;
  /** Key policy document of new keys; undefined = KMS's default. */
  readonly keyPolicy: string | undefined;
  /** Tags of a new key. @throws KeyManagerError `InvalidArgument` for a key id that does not fit into a tag */
  readonly tagsFor: (keyId: string) => readonly Tag[];
  /** Marks a key as not in use any more, before it is scheduled for deletion. */
  readonly retire: (keyArn: string) => Promise<void>;
  readonly pendingWindowInDays: number;
  readonly maxKeysCreatedPerHour: number;
  readonly telemetry?: Telemetry | undefined;
}

export interface KeyGenerationRequest {
  readonly keyId: string;
  readonly keyType: KeyType;
  readonly aliasName: string;
  readonly signal: AbortSignal | undefined;
  /** The entry of this id at this moment. */
  readonly current: () => KeyEntry | undefined;
  /** Puts the entry in place. @returns the one it replaced */
  readonly replace: (entry: KeyEntry) => KeyEntry | undefined;
}

/** How long an alias call that was given up may still reach KMS before its outcome is asked for. */
const settleMs = 2_000;
const maxSettleBackoffMs = 60_000;
/** How long after a rotation the alias is looked at once more: longer than a replica's refresh can take. */
const confirmMs = 30_000;

export class KeyGeneration {
  readonly #context: KeyGenerationContext;
  readonly #request: KeyGenerationRequest;

  constructor(context: KeyGenerationContext, request: KeyGenerationRequest) {
    this.#context = context;
    this.#request = request;
  }

  async run(): Promise<KeyEntry> {
    const { signal } = this.#request;
    signal?.throwIfAborted();
    const created = await this.#createKey();
    let entry: KeyEntry;
    try {
      signal?.throwIfAborted();
      entry = await this.#fetchEntry(created);
      signal?.throwIfAborted();
    } catch (error) {
      this.#abandon(created.arn);
      throw keyManagerError("failed to get public key", error);
    }
    // From here on there is no turning back on the caller's behalf: the alias may move at any moment.
    const hadKey = this.#request.current() !== undefined;
    let outcome: AliasOutcome;
    try {
      outcome = await assignAlias(this.#context, entry.aliasName, created, hadKey);
    } catch (error) {
      this.#undoAlias(entry, error);
      throw keyManagerError(`failed to ${hadKey ? "update" : "create"} alias ${entry.aliasName}`, error);
    }
    return outcome === "assigned" ? this.#adopt(entry) : this.#yieldTo(outcome.takenBy, entry);
  }

  #countCreation(ceiling: CreationCeiling, maxPerHour: number): void {
    const { telemetry, log } = this.#context;
    try {
      ceiling.count(maxPerHour);
    } catch (error) {
      telemetry?.count("creation_ceiling_reached");
      log.error("No more keys are created for now", { key_id: this.#request.keyId, reason: messageOf(error) });
      throw error;
    }
  }

  async #createKey(): Promise<KeyMetadata> {
    const { kms, names, ceiling, keyPolicy, tagsFor, maxKeysCreatedPerHour, log } = this.#context;
    const { keyId, keyType } = this.#request;
    const tags = tagsFor(keyId);
    this.#countCreation(ceiling, maxKeysCreatedPerHour);
    try {
      const created = await kms.createKey({
        keySpec: keySpecOf(keyType),
        description: names.descriptionFor(keyId),
        policy: keyPolicy,
        tags,
      });
      this.#context.telemetry?.count("keys_created");
      log.debug("Key created", { key_arn: created.arn, key_id: keyId });
      return created;
    } catch (error) {
      if (isKmsError(error) && error.outcomeUnknown) {
        log.warn("KMS may have created a key whose ARN never arrived: without an alias, with this description", {
          key_id: keyId,
          description: names.descriptionFor(keyId),
          reason: messageOf(error),
        });
      }
      throw keyManagerError("failed to create key", error);
    }
  }

  async #fetchEntry(created: KeyMetadata): Promise<KeyEntry> {
    const { kms, clock } = this.#context;
    const { keyId, keyType, aliasName, signal } = this.#request;
    const { pkixData } = await whenVisible(clock, () => kms.getPublicKey(created.arn, { signal }), signal);
    return createKeyEntry({ keyId, keyType, aliasName, keyArn: created.arn, pkixData });
  }

  #adopt(entry: KeyEntry): KeyEntry {
    const replaced = this.#request.replace(entry);
    if (replaced !== undefined && replaced.keyArn !== entry.keyArn) {
      this.#scheduleDeletion(replaced.keyArn, "rotated", () => this.#keepRotation(entry, replaced));
      void this.#confirm(entry, replaced);
    }
    return entry;
  }

  /** A replica with our identity had the same idea a moment earlier: one key is enough, and theirs has the alias. */
  async #yieldTo(takenBy: KeyMetadata, own: KeyEntry): Promise<KeyEntry> {
    const { kms, names, log } = this.#context;
    const { aliasName, keyId } = own;
    this.#abandon(own.keyArn);
    try {
      const finding = await examineAlias({ aliasName, targetKeyId: takenBy.keyId }, { kms, names, signal: undefined });
      if (finding !== undefined && "entry" in finding) {
        log.warn("Another server with this identity made this key at the same time: using its key", {
          key_id: keyId,
          alias_name: aliasName,
          key_arn: takenBy.arn,
        });
        return this.#adopt({ ...finding.entry, keyId });
      }
    } catch (error) {
      throw keyManagerError(`failed to read the key behind ${aliasName}`, error);
    }
    throw new KeyManagerError(
      "Unavailable",
      `alias ${aliasName} was taken by another server whose key cannot be used; try again`,
    );
  }

  /**
   * Makes sure that the alias does not stand on the replaced key again: a replica that refreshed the alias while we
   * moved it may have put it back.
   */
  async #keepRotation(entry: KeyEntry, replaced: KeyEntry): Promise<void> {
    const { kms, log } = this.#context;
    const target = await targetOf(kms, entry.aliasName);
    if (target?.arn !== replaced.keyArn || this.#request.current()?.keyArn !== entry.keyArn) return;
    log.warn("The alias was moved back to the replaced key: pointing it at the new key again", {
      alias_name: entry.aliasName,
      key_arn: entry.keyArn,
      replaced_key_arn: replaced.keyArn,
    });
    await kms.updateAlias(entry.aliasName, entry.keyArn);
  }

  async #confirm(entry: KeyEntry, replaced: KeyEntry): Promise<void> {
    const { clock, log } = this.#context;
    try {
      await clock.sleep(confirmMs);
      await this.#keepRotation(entry, replaced);
    } catch (error) {
      log.debug("Could not confirm where the alias points", { alias_name: entry.aliasName, reason: messageOf(error) });
    }
  }

  #abandon(keyArn: string): void {
    this.#context.log.warn("Key generation failed: the new key will be scheduled for deletion", { key_arn: keyArn });
    this.#scheduleDeletion(keyArn, "generation failed");
  }

  #scheduleDeletion(keyArn: string, reason: string, before?: () => Promise<void>): void {
    const { deletions, kms, names, pendingWindowInDays, retire } = this.#context;
    const reminder = names.reminders?.aliasFor(keyArn);
    deletions.add({
      kms,
      keyArn,
      reminder,
      aliasName: this.#request.aliasName,
      pendingWindowInDays,
      reason,
      async before() {
        await before?.();
        await retire(keyArn);
      },
    });
  }

  /** The alias call failed: the key goes, but only once it is certain that the alias does not stand on it. */
  #undoAlias(entry: KeyEntry, error: unknown): void {
    const refused = error instanceof KeyManagerError || (isKmsError(error) && !error.outcomeUnknown);
    if (refused) this.#abandon(entry.keyArn);
    else void this.#settle(entry);
  }

  async #settle(entry: KeyEntry): Promise<void> {
    const { kms, clock, log } = this.#context;
    for (let backoffMs = settleMs; ; backoffMs = Math.min(backoffMs * 2, maxSettleBackoffMs)) {
      await clock.sleep(backoffMs);
      try {
        const target = await kms.describeKey(entry.aliasName);
        if (target.arn !== entry.keyArn) return this.#abandon(entry.keyArn);
        log.warn("The alias had moved although KMS's answer was lost: the new key is in use", {
          alias_name: entry.aliasName,
          key_arn: entry.keyArn,
        });
        this.#adopt(entry);
        return;
      } catch (error) {
        if (isKmsError(error, "NotFound")) return this.#abandon(entry.keyArn);
        log.debug("Cannot yet tell where the alias points", { alias_name: entry.aliasName, reason: messageOf(error) });
      }
    }
  }
}
