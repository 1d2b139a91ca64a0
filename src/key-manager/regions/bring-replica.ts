/**
 * One key into one Region: the replica with policy, tags and description, and the alias on it. Or, where all of that is
 * there, refreshed.
 *
 * Each step looks before it acts, so that it may be taken again at any time: what is to be done is read from KMS alone.
 */
import { explain, messageOf } from "../errors.ts";
import { findKey } from "../keys/find-key.ts";
import type { KeyEntry } from "../keys/key-entry.ts";
import type { KeyRing } from "../keys/key-ring.ts";
import { arnInRegion, isMultiRegionKey } from "../keys/multi-region-key.ts";
import type { KeyNames } from "../names.ts";
import type { LogLimits } from "../pace/log-limit.ts";
import type { Pacer } from "../pace/pacer.ts";
import { whenVisible } from "../pace/visibility.ts";
import { type Clock, isKmsError, type KeyMetadata, type KmsClient, type Logger } from "../ports.ts";
import { spireTags } from "../tags/spire-tags.ts";
import type { KeyTagging } from "../tags/tag-mode.ts";
import type { Telemetry } from "../telemetry.ts";
import { placeOfAlias } from "./replica-alias.ts";
import { type ReplicaCondition, troubleWithReplica } from "./replica-state.ts";

export interface ReplicationContext {
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  readonly limits: LogLimits;
  readonly names: KeyNames;
  readonly ring: KeyRing;
  readonly tags: KeyTagging;
  readonly keyPolicy: () => Promise<string | undefined>;
  /** Of the keys themselves. */
  readonly home: { readonly region: string; readonly kms: KmsClient };
  /** For all Regions together: ReplicateKey has a quota in the home Region. */
  readonly homePacer: Pacer;
  /** A replica was made of a key that was replaced meanwhile: both go. */
  readonly onReplaced: (entry: KeyEntry) => void;
}

export interface TargetRegion {
  readonly region: string;
  readonly kms: KmsClient;
  /** ReplicateKey counts as two CreateKey there. */
  readonly replicatePacer: Pacer;
  readonly aliasPacer: Pacer;
}

export interface Outcome {
  readonly condition: ReplicaCondition;
  readonly reason?: string;
}

const replaced: Outcome = { condition: "missing", reason: "the key was replaced meanwhile" };

/** How long a replica may take to become ready. */
const creatingMs = 90_000;
const creatingPollMs = 1_000;

export class ReplicaWork {
  readonly #context: ReplicationContext;
  readonly #target: TargetRegion;
  readonly #entry: KeyEntry;
  readonly #signal: AbortSignal;

  constructor(context: ReplicationContext, target: TargetRegion, entry: KeyEntry, signal: AbortSignal) {
    this.#context = context;
    this.#target = target;
    this.#entry = entry;
    this.#signal = signal;
  }

  /**
   * @param isRefresh whether an alias, and tags, that stand already are written once more
   * @throws KmsError, KeyManagerError for what is worth another try
   */
  async run(isRefresh: boolean): Promise<Outcome> {
    const { home, names } = this.#context;
    const { keyArn, aliasName } = this.#entry;
    if (!this.#isInUse) return replaced;
    if (!isMultiRegionKey(keyArn)) return { condition: "single-Region" };
    const primary = await home.kms.describeKey(keyArn, { signal: this.#signal });
    const isStandby = primary.multiRegion?.isReplica === true;
    const target = await findKey(this.#target.kms, aliasName, { signal: this.#signal });
    const place = placeOfAlias(target, { keyArn, home: home.region, names });
    if (place.kind !== "ours" && isStandby) {
      return {
        condition: "missing",
        reason: `it is for the server in ${primary.multiRegion?.primaryRegion} to make it`,
      };
    }
    if (place.kind === "conflict") return this.#conflict(place.reason, target);
    const replica = await this.#replica(primary);
    if (replica === undefined || !this.#isInUse) return replaced;
    const trouble = troubleWithReplica(replica, this.#target.region);
    if (trouble !== undefined) return { condition: "unusable", reason: trouble };
    if (place.kind === "missing") await this.#createAlias(replica);
    else if (place.kind === "superseded" || isRefresh) await this.#updateAlias(replica);
    if (isRefresh) await this.#refreshTags(replica);
    return await this.#untilReady(replica);
  }

  /** An older key than the one in use never gets the alias. */
  get #isInUse(): boolean {
    const { keyId, keyArn } = this.#entry;
    return this.#context.ring.get(keyId)?.keyArn === keyArn;
  }

  get #arn(): string {
    return arnInRegion(this.#entry.keyArn, this.#target.region);
  }

  get #fields() {
    const { keyId, keyArn, aliasName } = this.#entry;
    return { key_id: keyId, key_arn: keyArn, alias_name: aliasName, replica_region: this.#target.region };
  }

  /** The replica that is there, or a new one; undefined when the key is not in use any more. */
  async #replica(primary: KeyMetadata): Promise<KeyMetadata | undefined> {
    const { kms, region, replicatePacer } = this.#target;
    const { home, homePacer, tags, keyPolicy, ring, log, telemetry, onReplaced } = this.#context;
    const { keyId, keyArn } = this.#entry;
    const signal = this.#signal;
    const found = await findKey(kms, this.#arn, { signal });
    if (found !== undefined) return found;
    const policy = await keyPolicy();
    await replicatePacer.turn(signal);
    await homePacer.turn(signal);
    if (!ring.uses(keyArn)) return undefined;
    const { description } = primary;
    let made: KeyMetadata;
    try {
      made = await home.kms.replicateKey(
        { keyArn, region, description, policy, tags: tags.tagsFor(keyId) },
        { signal },
      );
      telemetry.count("keys_replicated");
      log.info("Key replicated", { ...this.#fields, replica_arn: made.arn });
    } catch (error) {
      // An earlier attempt whose answer was lost; it may not be visible yet.
      if (!isKmsError(error, "ALREADY_EXISTS")) throw error;
      made = await whenVisible(this.#context.clock, () => kms.describeKey(this.#arn, { signal }), signal);
    }
    if (ring.uses(keyArn)) return made;
    onReplaced(this.#entry);
    return undefined;
  }

  async #createAlias({ arn }: KeyMetadata): Promise<void> {
    const { clock } = this.#context;
    const { kms, aliasPacer } = this.#target;
    await aliasPacer.turn(this.#signal);
    await whenVisible(clock, () => kms.createAlias(this.#entry.aliasName, arn, { signal: this.#signal }), this.#signal);
  }

  async #updateAlias({ arn }: KeyMetadata): Promise<void> {
    const { clock } = this.#context;
    const { kms, aliasPacer } = this.#target;
    await aliasPacer.turn(this.#signal);
    await whenVisible(clock, () => kms.updateAlias(this.#entry.aliasName, arn, { signal: this.#signal }), this.#signal);
  }

  /** In tag mode only. */
  async #refreshTags({ arn }: KeyMetadata): Promise<void> {
    const { tags, clock } = this.#context;
    if (tags.identity === undefined) return;
    const all = spireTags(tags.identity, this.#entry.keyId, clock.now());
    await this.#target.kms.tagResource(arn, all, { signal: this.#signal });
  }

  async #untilReady(replica: KeyMetadata): Promise<Outcome> {
    const { clock } = this.#context;
    const { kms } = this.#target;
    const end = clock.elapsedMs() + creatingMs;
    for (let state = replica.keyState; state === "Creating"; ) {
      if (clock.elapsedMs() >= end) return { condition: "pending", reason: "KMS is still creating the replica" };
      await clock.sleep(creatingPollMs, this.#signal);
      const seen = await findKey(kms, replica.arn, { signal: this.#signal });
      if (seen !== undefined) state = seen.keyState;
    }
    const { pkixData } = await whenVisible(
      clock,
      () => kms.getPublicKey(replica.arn, { signal: this.#signal }),
      this.#signal,
    );
    if (Buffer.compare(pkixData, this.#entry.pkixData) === 0) return { condition: "ready" };
    return { condition: "unusable", reason: "KMS answers with another public key than in the home Region" };
  }

  #conflict(reason: string, target: KeyMetadata | undefined): Outcome {
    const { telemetry, limits, log, names } = this.#context;
    telemetry.count("identity_conflicts");
    limits.run(`conflict in ${this.#target.region}`, (more) =>
      log.error("Another server with this server's identity is active in another Region", {
        ...this.#fields,
        their_key_arn: target?.arn,
        their_key_created_at: target?.creationDate?.toISOString(),
        reason: `alias ${this.#entry.aliasName} there: ${reason}`,
        consequence: "this server leaves that alias alone and makes no replica of its key there",
        remedy: `only one server of a ${names.setting} may be active: stop the one that is not to be, then run spire-aws-kms promote for the Region of the other (docs/multi-region.md)`,
        ...more,
      }),
    );
    return { condition: "conflict", reason };
  }
}

/** What a failure is to be called in a state. */
export const failedBecause = (error: unknown): Outcome => ({
  condition: "failed",
  reason: isKmsError(error, "ACCESS_DENIED") ? explain(error) : messageOf(error),
});
