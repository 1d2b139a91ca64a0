/**
 * One GenerateKey, from CreateKey to the swapped entry, and the way back from every step.
 *
 * CreateKey has no idempotency token, so it is sent once, never repeated, and never torn off: when the caller gives up
 * we still wait for KMS's answer, to know which key must be scheduled for deletion.
 */

import { examineAlias } from "../discovery/alias-discovery.ts";
import { KeyManagerError, keyManagerError, messageOf } from "../errors.ts";
import { createKeyEntry, type KeyEntry } from "../key-entry.ts";
import { type KeyType, keySpecOf } from "../key-type.ts";
import { whenVisible } from "../pace/visibility.ts";
import { type CreateKeyInput, isKmsError, type KeyMetadata, type Tag } from "../ports.ts";
import type { KeyPolicySource } from "../setup.ts";
import type { Telemetry } from "../telemetry.ts";
import { type AliasOutcome, assignAlias } from "./alias-assignment.ts";
import { type CreationCeiling, type LiveKeys, requireRoom } from "./creation-ceiling.ts";
import { type KeySlot, KeySuccession, type KeySuccessionContext } from "./succession.ts";

export interface KeyGenerationContext extends KeySuccessionContext {
  readonly ceiling: CreationCeiling;
  readonly keyPolicy: KeyPolicySource;
  /** Tags of a new key. @throws KeyManagerError `InvalidArgument` for a key id that does not fit into a tag */
  readonly tagsFor: (keyId: string) => readonly Tag[];
  /** Marks a key that another process made as in use by this server. Never rejects. */
  readonly claim: (entry: KeyEntry) => Promise<void>;
  readonly maxKeysCreatedPerHour: number;
  readonly maxLiveKeys: number;
  readonly telemetry?: Telemetry | undefined;
}

export interface KeyGenerationRequest extends KeySlot {
  readonly keyId: string;
  readonly keyType: KeyType;
  readonly signal: AbortSignal | undefined;
  readonly liveKeys: () => LiveKeys;
}

export class KeyGeneration {
  readonly #context: KeyGenerationContext;
  readonly #request: KeyGenerationRequest;
  readonly #succession: KeySuccession;

  constructor(context: KeyGenerationContext, request: KeyGenerationRequest) {
    this.#context = context;
    this.#request = request;
    this.#succession = new KeySuccession(context, request);
  }

  async run(): Promise<KeyEntry> {
    const { signal } = this.#request;
    signal?.throwIfAborted();
    const input = await this.#createKeyInput();
    signal?.throwIfAborted();
    const purpose = JSON.stringify(input);
    const created = (await this.#reclaimKey(purpose)) ?? (await this.#createKey(input));
    let entry: KeyEntry;
    try {
      signal?.throwIfAborted();
      entry = await this.#fetchEntry(created);
      signal?.throwIfAborted();
    } catch (error) {
      // A key that KMS gives a wrong public key for is of no use to anybody.
      this.#succession.abandon(created.arn, undefined, error instanceof KeyManagerError ? undefined : purpose);
      throw keyManagerError("failed to get public key", error);
    }
    // From here on there is no turning back on the caller's behalf: the alias may move at any moment.
    const previous = this.#request.current();
    let outcome: AliasOutcome;
    try {
      outcome = await assignAlias(this.#context, entry.aliasName, created, previous !== undefined);
    } catch (error) {
      this.#succession.undoAlias(entry, error, purpose);
      const attempt = `failed to ${previous === undefined ? "create" : "update"} alias ${entry.aliasName}`;
      throw keyManagerError(attempt, error);
    }
    if (outcome.kind === "taken") return this.#yieldTo(outcome.by, entry);
    // What we followed the alias to in the meantime does not save the key that we set out to replace.
    return this.#succession.adopt(entry, [previous?.keyArn, this.#overwritten(outcome.overwrote)]);
  }

  async #createKeyInput(): Promise<CreateKeyInput> {
    const { names, keyPolicy, tagsFor } = this.#context;
    const { keyId, keyType } = this.#request;
    const tags = tagsFor(keyId);
    const description = names.descriptionFor(keyId);
    return { keySpec: keySpecOf(keyType), description, policy: await keyPolicy(), tags };
  }

  /**
   * A key that an earlier generation made with the very same request, that never got an alias, and that KMS has not yet
   * let us schedule for deletion: while deletions fail, one failing generation after the other must not add to them.
   */
  async #reclaimKey(purpose: string): Promise<KeyMetadata | undefined> {
    const { kms, deletions, log, telemetry } = this.#context;
    const { keyId, signal } = this.#request;
    const keyArn = deletions.reclaim(purpose, kms);
    if (keyArn === undefined) return undefined;
    try {
      const key = await kms.describeKey(keyArn, { signal });
      if (key.keyState === "Enabled") {
        telemetry?.count("keys_reused");
        log.info("Using the key of a generation that failed", { key_arn: keyArn, key_id: keyId });
        return key;
      }
    } catch (error) {
      log.debug("Cannot tell whether a key can be used after all", { key_arn: keyArn, reason: messageOf(error) });
    }
    this.#succession.abandon(keyArn);
    return undefined;
  }

  #requireMayCreate(): void {
    const { telemetry, log, limits, ceiling, maxKeysCreatedPerHour, maxLiveKeys } = this.#context;
    const { keyId, current, liveKeys } = this.#request;
    try {
      requireRoom(liveKeys(), current() !== undefined, maxLiveKeys);
      ceiling.count(maxKeysCreatedPerHour);
    } catch (error) {
      telemetry?.count("creation_ceiling_reached");
      limits.run("ceiling reached", (more) =>
        log.error("No more keys are created for now", { key_id: keyId, reason: messageOf(error), ...more }),
      );
      throw error;
    }
  }

  async #createKey(input: CreateKeyInput): Promise<KeyMetadata> {
    const { kms, log, telemetry, limits } = this.#context;
    const { keyId } = this.#request;
    this.#requireMayCreate();
    try {
      const created = await kms.createKey(input);
      telemetry?.count("keys_created");
      log.debug("Key created", { key_arn: created.arn, key_id: keyId });
      return created;
    } catch (error) {
      if (isKmsError(error) && error.outcomeUnknown) {
        limits.run("ARN lost", (more) =>
          log.warn("KMS may have created a key whose ARN never arrived: without an alias, with this description", {
            key_id: keyId,
            description: input.description,
            reason: messageOf(error),
            ...more,
          }),
        );
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

  /** A key of ours that the alias stood on unknown to us goes like one that was known; one that somebody disabled does not. */
  #overwritten(key: KeyMetadata | undefined): string | undefined {
    const { names } = this.#context;
    return key?.keyState === "Enabled" && names.trustDomainOf(key.description) !== "foreign" ? key.arn : undefined;
  }

  /** A replica with our identity had the same idea a moment earlier: one key is enough, and theirs has the alias. */
  async #yieldTo(takenBy: KeyMetadata, own: KeyEntry): Promise<KeyEntry> {
    const { kms, names, log } = this.#context;
    const { aliasName, keyId } = own;
    this.#succession.abandon(own.keyArn, own);
    try {
      const finding = await examineAlias({ aliasName, targetKeyId: takenBy.keyId }, { kms, names, signal: undefined });
      if (finding !== undefined && "entry" in finding) {
        log.warn("Another server with this identity made this key at the same time: using its key", {
          key_id: keyId,
          alias_name: aliasName,
          key_arn: takenBy.arn,
        });
        const entry = { ...finding.entry, keyId };
        void this.#context.claim(entry);
        return this.#succession.adopt(entry, [], false);
      }
    } catch (error) {
      throw keyManagerError(`failed to read the key behind ${aliasName}`, error);
    }
    throw new KeyManagerError(
      "UNAVAILABLE",
      `alias ${aliasName} was taken by another server whose key cannot be used; try again`,
    );
  }
}
