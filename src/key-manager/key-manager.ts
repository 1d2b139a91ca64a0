/**
 * The key manager of one configuration: the four calls of SPIRE's KeyManager, in the domain's own words.
 *
 * Reads and signatures work on the entries as they are at that moment and wait for nothing. Generations of one id go
 * one after another; of different ids, side by side. Nothing here knows gRPC, HCL or the AWS SDK.
 */

import { examineAlias } from "./discovery/alias-discovery.ts";
import { KeyManagerError, keyManagerError } from "./errors.ts";
import { findKey } from "./find-key.ts";
import { type KeyEntries, type KeyEntry, type PublicKey, withEntry } from "./key-entry.ts";
import type { KeyType } from "./key-type.ts";
import type { NamedQueue } from "./pace/concurrency.ts";
import { whenVisible } from "./pace/visibility.ts";
import { isKmsError, type KmsClient, type Logger } from "./ports.ts";
import { KeyGeneration, type KeyGenerationContext } from "./rotation/key-generation.ts";
import { MadeKeys, type RecentKey } from "./rotation/recent-keys.ts";
import { planSignature, type SignerOptions } from "./signing/signing-algorithm.ts";

export interface Signature {
  /** DER ECDSA-Sig-Value, or RSA signature octets. */
  readonly signature: Uint8Array;
  /** Of the key that signed. */
  readonly keyFingerprint: string;
}

export interface KeyManagerContext extends KeyGenerationContext {
  readonly kms: KmsClient;
  readonly log: Logger;
  /** Whether each signature is checked before it is returned. */
  readonly verifySignatures: boolean;
  /** Generations under way, by key id; outlives a reconfiguration. */
  readonly generations: NamedQueue;
}

export class KeyManager {
  readonly #context: KeyManagerContext;
  #entries: KeyEntries;
  readonly #made: MadeKeys;

  /** @param predecessor of the configuration before, in the same process */
  constructor(context: KeyManagerContext, entries: KeyEntries, predecessor?: KeyManager) {
    this.#context = context;
    this.#entries = entries;
    this.#made = new MadeKeys(context.clock);
    if (predecessor !== undefined) for (const entry of entries.values()) this.#made.inherit(entry, predecessor.#made);
  }

  /** Keys in use that this process made so recently that KMS may not yet show their aliases on them. */
  get recentKeys(): readonly RecentKey[] {
    return [...this.#entries.values()].flatMap((entry) => this.#made.recent(entry) ?? []);
  }

  get entries(): KeyEntries {
    return this.#entries;
  }

  /**
   * Creates a key under `keyId`; a key that was there is replaced and scheduled for deletion.
   *
   * When the signal aborts, what is under way is taken back: the new key is scheduled for deletion, unless its alias
   * has been asked for already, in which case the rotation is carried through.
   */
  async generateKey(keyId: string, keyType: KeyType, signal?: AbortSignal): Promise<PublicKey> {
    requireKeyId(keyId);
    // A key found under another spelling of its alias (the built-in plugin's) keeps it.
    const aliasName = this.#entries.get(keyId)?.aliasName ?? this.#context.names.aliasFor(keyId);
    const generation = new KeyGeneration(this.#context, {
      keyId,
      keyType,
      aliasName,
      signal,
      current: () => this.#entries.get(keyId),
      replace: (entry, isOwn) => {
        const replaced = this.replace(entry);
        this.#made.add(entry, replaced?.keyArn, !isOwn || signal?.aborted !== true);
        return replaced;
      },
      inTurn: (job) => this.exclusively(keyId, job),
      liveKeys: () => ({ inUse: this.#entries.size, doomed: this.#context.deletions.ownSize }),
    });
    return this.#context.generations.run(keyId, async () => {
      return (await this.#undeliveredKey(keyId, keyType, signal)) ?? generation.run();
    });
  }

  /** @throws KeyManagerError `InvalidArgument` without an id, `NotFound` for one that is not ours */
  getPublicKey(keyId: string): PublicKey {
    return this.#entry(keyId);
  }

  getPublicKeys(): readonly PublicKey[] {
    this.#made.deliverAll();
    return [...this.#entries.values()];
  }

  /**
   * Signs a digest.
   *
   * @param digest of exactly the length of `options.hashAlgorithm`'s digests
   */
  async signData(keyId: string, digest: Uint8Array, options: SignerOptions, signal?: AbortSignal): Promise<Signature> {
    const entry = this.#entry(keyId);
    const sign = () => this.#sign(entry, digest, options, signal);
    try {
      // A key that KMS does not know everywhere yet is asked again: its alias may be shown as it was, and tells nothing.
      return await (this.#made.isFresh(entry) ? whenVisible(this.#context.clock, sign, signal) : sign());
    } catch (error) {
      if (!isKmsError(error, "DISABLED", "INVALID_STATE", "NOT_FOUND")) throw signFailure(entry, error);
      // The key is of no use any more: perhaps a replica that shares our identity has rotated it.
      const successor = await this.followAlias(entry, signal).catch(() => undefined);
      if (successor === undefined) throw signFailure(entry, error);
      return await this.#sign(successor, digest, options, signal).catch((again: unknown) => {
        throw signFailure(successor, again);
      });
    }
  }

  /**
   * Looks where the alias of an entry points to by now and puts the key there in the entry's place.
   *
   * @returns the entry in place now if it is another one, undefined when nothing has changed or the other key cannot be used
   */
  async followAlias(entry: KeyEntry, signal?: AbortSignal): Promise<KeyEntry | undefined> {
    const { kms, names, log } = this.#context;
    const { aliasName, keyId } = entry;
    const target = await kms.describeKey(aliasName, { signal });
    const finding =
      target.arn === entry.keyArn
        ? undefined
        : await examineAlias({ aliasName, targetKeyId: target.keyId }, { kms, names, signal });
    const current = this.#entries.get(keyId);
    if (current !== undefined && current.keyArn !== entry.keyArn) return current;
    if (finding !== undefined && "entry" in finding) {
      this.replace({ ...finding.entry, keyId });
      log.warn("Another server with this identity has rotated a key: using its key now", {
        key_id: keyId,
        alias_name: aliasName,
        key_arn: target.arn,
        replaced_key_arn: entry.keyArn,
      });
      const successor = this.#entries.get(keyId);
      if (successor !== undefined) void this.#context.claim(successor);
      return successor;
    }
    if (finding !== undefined) {
      const { trouble } = finding.unusable;
      this.#context.limits.run(`unusable ${keyId}`, (more) =>
        log.error("Another server with this identity has moved an alias to a key that cannot be used", {
          key_id: keyId,
          alias_name: aliasName,
          key_arn: target.arn,
          reason: trouble,
          ...more,
        }),
      );
    }
    return undefined;
  }

  /** Runs a job in turn with the generations of this id. */
  exclusively<T>(keyId: string, job: () => Promise<T>): Promise<T> {
    return this.#context.generations.run(keyId, job);
  }

  async #sign(
    entry: KeyEntry,
    digest: Uint8Array,
    options: SignerOptions,
    signal: AbortSignal | undefined,
  ): Promise<Signature> {
    const plan = planSignature(entry.keyType, digest, options);
    const { kms, log, limits, verifySignatures, telemetry } = this.#context;
    const signature = await kms.sign({ keyArn: entry.keyArn, ...plan }, { signal });
    if (verifySignatures && !entry.verify(plan.signingAlgorithm, plan.digest, signature)) {
      telemetry?.count("wrong_signatures");
      limits.run("wrong signature", (more) =>
        log.error(
          "KMS answered with a signature that does not verify under the key's public key: it was not passed on",
          { key_id: entry.keyId, key_arn: entry.keyArn, signing_algorithm: plan.signingAlgorithm, ...more },
        ),
      );
      throw new KeyManagerError(
        "INTERNAL",
        `KMS answered with a signature that does not verify under ${entry.keyArn} (${plan.signingAlgorithm}); it was not passed on. With a KMS emulator that signs other digests than it is given, set verify_signatures = false`,
      );
    }
    return { signature, keyFingerprint: entry.fingerprint };
  }

  /**
   * The key of this id, if it was made for a caller who had given up when it stood, and nobody has learnt of it since:
   * SPIRE asks again, and a second key would be one too many.
   */
  async #undeliveredKey(
    keyId: string,
    keyType: KeyType,
    signal: AbortSignal | undefined,
  ): Promise<KeyEntry | undefined> {
    const { kms, log, telemetry } = this.#context;
    const entry = this.#entries.get(keyId);
    if (entry?.keyType !== keyType || !this.#made.isUndelivered(entry)) return;
    const target = await findKey(kms, entry.aliasName).catch(() => undefined);
    if (signal?.aborted) return;
    this.#made.deliver(keyId);
    if (target?.arn !== entry.keyArn || target.keyState !== "Enabled" || this.#entries.get(keyId) !== entry) return;
    telemetry?.count("keys_reused");
    log.info("Handing out the key of a call that was given up", { key_id: keyId, key_arn: entry.keyArn });
    return entry;
  }

  #entry(keyId: string): KeyEntry {
    requireKeyId(keyId);
    const entry = this.#entries.get(keyId);
    if (entry === undefined) throw new KeyManagerError("NOT_FOUND", `key ${JSON.stringify(keyId)} not found`);
    this.#made.deliver(keyId);
    return entry;
  }

  /** Puts an entry in place. @returns the one it replaced */
  replace(entry: KeyEntry): KeyEntry | undefined {
    const replaced = this.#entries.get(entry.keyId);
    this.#entries = withEntry(this.#entries, entry);
    return replaced;
  }
}

function signFailure({ keyId, keyArn, aliasName }: KeyEntry, error: unknown): KeyManagerError {
  return keyManagerError(`failed to sign with key ${JSON.stringify(keyId)} (${keyArn}, ${aliasName})`, error);
}

function requireKeyId(keyId: string): void {
  if (keyId === "") throw new KeyManagerError("INVALID_ARGUMENT", "key id is required");
}
