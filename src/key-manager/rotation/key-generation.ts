/** One GenerateKey, from CreateKey to the key in its place, and the way back from every step. */
import { examineAlias } from "../discovery/alias-discovery.ts";
import { KeyManagerError, keyManagerError } from "../errors.ts";
import { findKey } from "../keys/find-key.ts";
import { createKeyEntry, type KeyEntry } from "../keys/key-entry.ts";
import { whenVisible } from "../pace/visibility.ts";
import type { KeyMetadata } from "../ports.ts";
import type { Setup } from "../setup.ts";
import { type AliasOutcome, assignAlias } from "./alias-assignment.ts";
import { watchBeforeRotation, watchIdentity } from "./identity-watch.ts";
import { createKey, createKeyInput, type KeyGenerationRequest, reclaimKey } from "./new-key.ts";
import { requireMayMakeKeys } from "./standby.ts";
import { Succession } from "./succession.ts";

export class KeyGeneration {
  readonly #setup: Setup;
  readonly #request: KeyGenerationRequest;
  readonly #succession: Succession;

  constructor(setup: Setup, request: KeyGenerationRequest) {
    this.#setup = setup;
    this.#request = request;
    const { keyId, aliasName, signal } = request;
    this.#succession = new Succession(setup, { keyId, aliasName, ring: setup.ring }, signal);
  }

  async run(): Promise<KeyEntry> {
    const { signal, keyId } = this.#request;
    signal?.throwIfAborted();
    await requireMayMakeKeys(this.#setup, keyId);
    await this.#watchIdentity();
    const input = await createKeyInput(this.#setup, this.#request);
    signal?.throwIfAborted();
    const purpose = JSON.stringify(input);
    const created = (await this.#reclaimed(purpose)) ?? (await createKey(input, this.#request, this.#setup));
    let entry: KeyEntry;
    try {
      signal?.throwIfAborted();
      entry = await this.#fetchEntry(created);
      signal?.throwIfAborted();
    } catch (error) {
      // A key that KMS gives a wrong public key for is of no use to anyone.
      this.#succession.giveUp(created.arn, undefined, error instanceof KeyManagerError ? undefined : purpose);
      throw keyManagerError("failed to get public key", error);
    }
    // From here on there is no turning back on the caller's behalf: the alias may move at any moment.
    const previous = this.#setup.ring.get(keyId);
    let outcome: AliasOutcome;
    try {
      outcome = await assignAlias(this.#setup, entry.aliasName, created, previous !== undefined);
    } catch (error) {
      this.#succession.undoAlias(entry, error, purpose);
      const attempt = `failed to ${previous === undefined ? "create" : "update"} alias ${entry.aliasName}`;
      throw keyManagerError(attempt, error);
    }
    const target = outcome.kind === "taken" ? outcome.by : outcome.overwrote;
    if (target !== undefined)
      await watchIdentity({ keyId, aliasName: entry.aliasName, target, known: previous }, this.#setup);
    if (outcome.kind === "taken") return this.#yieldTo(outcome.by, entry);
    // What we followed the alias to in the meantime does not save the key that we set out to replace.
    const others = [previous?.keyArn, this.#overwritten(outcome.overwrote)];
    return this.#succession.takePlace(entry, { others, requestId: outcome.requestId });
  }

  /** Whether the alias stands where we know it; what we moved a moment ago KMS may still show elsewhere. */
  async #watchIdentity(): Promise<void> {
    const { kms, ring, config } = this.#setup;
    const { keyId, aliasName } = this.#request;
    const known = ring.get(keyId);
    // An alias that we do not know of shows itself when it is made; only who refuses must know before.
    if (known === undefined ? !config.refuseSharedIdentity : ring.isRecent(known)) return;
    const target = await findKey(kms, aliasName).catch(() => undefined);
    if (target === undefined || target.arn === known?.keyArn) return;
    await watchBeforeRotation({ keyId, aliasName, target, known }, this.#setup);
  }

  async #reclaimed(purpose: string): Promise<KeyMetadata | undefined> {
    const found = await reclaimKey(purpose, this.#request, this.#setup);
    if (found === undefined || "arn" in found) return found;
    this.#succession.giveUp(found.uselessArn);
    return undefined;
  }

  async #fetchEntry(created: KeyMetadata): Promise<KeyEntry> {
    const { kms, clock } = this.#setup;
    const { keyId, keyType, aliasName, signal } = this.#request;
    const { pkixData } = await whenVisible(clock, () => kms.getPublicKey(created.arn, { signal }), signal);
    return createKeyEntry({ keyId, keyType, aliasName, keyArn: created.arn, pkixData });
  }

  /** A key of ours that the alias stood on unknown to us goes like one that was known; one that was disabled does not. */
  #overwritten(key: KeyMetadata | undefined): string | undefined {
    return key?.keyState === "Enabled" ? key.arn : undefined;
  }

  /** A replica with our identity had the same idea a moment earlier: one key is enough, and theirs has the alias. */
  async #yieldTo(takenBy: KeyMetadata, own: KeyEntry): Promise<KeyEntry> {
    const { kms, names, log, tags } = this.#setup;
    const { aliasName, keyId } = own;
    this.#succession.giveUp(own.keyArn, own);
    try {
      const finding = await examineAlias({ aliasName, targetKeyId: takenBy.keyId }, { kms, names, signal: undefined });
      if (finding !== undefined && "entry" in finding) {
        log.warn("Another server with this identity made this key at the same time: using its key", {
          key_id: keyId,
          alias_name: aliasName,
          key_arn: takenBy.arn,
        });
        const entry = { ...finding.entry, keyId };
        void tags.claim(entry);
        return this.#succession.takePlace(entry, { isOwn: false });
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
