/**
 * The key manager of a plugin process: not configured at first, configured again and again later.
 *
 * A configuration takes effect whole or not at all. Signing goes on with the old one until the new one stands;
 * generations wait for it, so that none falls between discovery and the swap.
 */

import type { KeyManagerConfig } from "./config.ts";
import { takeInCreated } from "./discovery/creating-keys.ts";
import { discoverKeys } from "./discovery/discover.ts";
import type { OtherRegion } from "./discovery/discover-elsewhere.ts";
import type { DiscoveredKeys } from "./discovery/key-discovery.ts";
import { KeyManagerError } from "./errors.ts";
import { Fleet } from "./fleet/fleet.ts";
import type { KeyType } from "./key-type.ts";
import type { KeyEntries, KeyEntry, PublicKey } from "./keys/key-entry.ts";
import { KeyRing } from "./keys/key-ring.ts";
import { abortController, Gate, waitUntilAborted } from "./pace/concurrency.ts";
import { KmsTime } from "./pace/kms-time.ts";
import { LogLimits } from "./pace/log-limit.ts";
import type { Task } from "./pace/task.ts";
import type {
  Cancellation,
  Clock,
  IamClient,
  KmsClient,
  Logger,
  RegionClients,
  StsClient,
  TaggingClient,
} from "./ports.ts";
import { FailoverSigner } from "./regions/failover/failover-signer.ts";
import { untilHome } from "./regions/failover/homecoming.ts";
import { regionsOf } from "./regions/regions.ts";
import { countReplicas, type ReplicaState } from "./regions/replica-state.ts";
import { Replication } from "./regions/replication.ts";
import { tellOfHomecoming, tellOfRegions } from "./regions/tell-regions.ts";
import { DeletionQueue } from "./removal/deletion-queue.ts";
import { scheduleOrphans } from "./removal/orphans-at-start.ts";
import { scheduleReplaced } from "./removal/replaced-key.ts";
import { Rotation } from "./rotation/rotation.ts";
import type { Preparation, Prepare, ProcessServices, Setup } from "./setup.ts";
import { type Signature, signData } from "./sign-data.ts";
import type { SignerOptions } from "./signing/signing-algorithm.ts";
import { warnOfTagsLeft } from "./tags/left-tags.ts";
import { KeyTagging } from "./tags/tag-mode.ts";
import { noTelemetry, type Telemetry, type TelemetryGauges } from "./telemetry.ts";
import { startUpkeep, type UpkeepOptions } from "./upkeep/upkeep.ts";

/** The clients of one configuration. */
export interface Clients {
  readonly kms: KmsClient;
  readonly sts: StsClient;
  readonly iam: IamClient;
  readonly tagging: TaggingClient;
  /** Clients of another Region. Without it there are none. */
  inRegion?(region: string): RegionClients;
  /** Called when the configuration takes effect. */
  warm?(): void;
  /** Lets go of idle connections; calls under way still end. */
  close(): void;
}

export interface KeyManagerOptions<C extends KeyManagerConfig> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry?: Telemetry;
  /** Where this process runs, for the log. */
  readonly processName?: string | undefined;
  readonly createClients: (config: C) => Promise<Clients> | Clients;
  readonly prepare: Prepare<C>;
  /** Default: all tasks that the configuration asks for. */
  readonly tasks?: ((options: UpkeepOptions) => readonly Task[]) | undefined;
}

interface Configuring {
  /** Whether keys may be looked for in other Regions. */
  readonly others: "never" | "when home fails";
  /** The caller's. */
  readonly signal?: AbortSignal | undefined;
  /** When it has aborted, the configuration is not to take effect. */
  readonly unless?: AbortSignal | undefined;
}

/** Where keys are looked for, and signatures asked for, when KMS does not answer at home. */
function otherRegions(config: KeyManagerConfig, clients: Clients): readonly OtherRegion[] {
  const { failover, kmsIn } = regionsOf(config, clients);
  return failover.flatMap((region) => {
    const kms = kmsIn(region);
    return kms === undefined ? [] : [{ region, kms }];
  });
}

/** A configuration in effect. */
interface Current {
  readonly setup: Setup;
  readonly clients: Clients;
  /** Ends the upkeep of this configuration. */
  readonly stop: AbortController;
}

export class KeyManager<C extends KeyManagerConfig = KeyManagerConfig> {
  readonly #options: KeyManagerOptions<C>;
  readonly #services: ProcessServices;
  readonly #deletions: DeletionQueue;
  readonly #rotation: Rotation;
  readonly #gate = new Gate();
  #current: Current | undefined;

  constructor(options: KeyManagerOptions<C>) {
    this.#options = options;
    const { clock, log, telemetry = noTelemetry, processName = "this process" } = options;
    this.#deletions = new DeletionQueue({
      clock,
      log,
      telemetry,
      isInUse: (keyArn) => this.#current?.setup.ring.uses(keyArn) === true,
    });
    this.#services = {
      clock,
      log,
      telemetry,
      limits: new LogLimits(clock),
      deletions: this.#deletions,
      processName,
    };
    this.#rotation = new Rotation(clock);
  }

  get gauges(): TelemetryGauges {
    const setup = this.#current?.setup;
    return {
      liveKeys: setup?.ring.entries.size ?? 0,
      deletionsQueued: this.#deletions.size,
      ...(setup?.config.multiRegion.isOn ? { replicas: countReplicas(this.replicas) } : {}),
      ...(setup?.failover.isOn ? { regions: setup.failover.regions } : {}),
    };
  }

  /** What is known of the replicas of the keys in use, by key and Region. */
  get replicas(): readonly ReplicaState[] {
    return this.#current?.setup.replication.states ?? [];
  }

  /** The keys in use. @throws KeyManagerError `FAILED_PRECONDITION` before the first successful {@link configure} */
  get entries(): KeyEntries {
    return this.#setup.ring.entries;
  }

  /**
   * Puts a configuration into effect: server id, key policy, keys found in KMS.
   *
   * @throws KeyManagerError; what was configured before goes on, and nothing is left behind
   */
  async configure(config: C, signal?: AbortSignal): Promise<void> {
    await this.#gate.exclusive(() => {
      // A server that has its keys keeps them as they are: they are younger than what other Regions show.
      const hasKeys = this.#current?.setup.isAway === false;
      return this.#configureNow(config, { others: hasKeys ? "never" : "when home fails", signal });
    });
  }

  async #configureNow(config: C, { others: whenOthers, signal, unless }: Configuring): Promise<void> {
    const { createClients, prepare, clock, log } = this.#options;
    signal?.throwIfAborted();
    const clients = await createClients(config);
    try {
      const preparation = await prepare(config, { ...clients, log, signal });
      const recent = this.#current?.setup.ring.recentKeys ?? [];
      const others = whenOthers === "never" ? [] : otherRegions(config, clients);
      const found = await discoverKeys({ config, preparation, ...clients, clock, log, signal, recent, others });
      signal?.throwIfAborted();
      unless?.throwIfAborted();
      await preparation.commit();
      const stop = abortController();
      const setup = this.#setUp(config, clients, preparation, { found, signal: stop.signal });
      this.#takeEffect({ setup, clients, stop }, found);
      if (found.elsewhere !== undefined) {
        this.#goHomeLater(config, setup, stop.signal);
        return;
      }
      const { ring, tags } = setup;
      if (ring.entries.size === 0 && setup.awaited.size === 0) preparation.onNoKeys?.();
      const keyArns = [...ring.entries.values()].map(({ keyArn }) => keyArn);
      if (config.retagExistingKeys) await tags.retag(keyArns, signal);
    } catch (error) {
      clients.close();
      throw error;
    }
  }

  /** The keys were found in another Region: they are looked for at home until they are found there. */
  #goHomeLater(config: C, away: Setup, signal: AbortSignal): void {
    const { kms, clock, log, limits, ring } = away;
    const comeHome = (): Promise<void> =>
      this.#gate.exclusive(async () => {
        signal.throwIfAborted();
        await this.#configureNow(config, { others: "never", unless: signal });
        tellOfHomecoming(ring.entries, this.#setup);
      });
    void untilHome({ kms, home: config.region, clock, log, limits, signal, comeHome });
  }

  /**
   * See {@link Rotation.generateKey}. When the signal aborts the caller is let go at once, while the generation is
   * brought to an end behind it: a reconfiguration and the next generation of this id wait for that.
   */
  async generateKey(keyId: string, keyType: KeyType, signal?: AbortSignal): Promise<PublicKey> {
    const generation = this.#gate.shared(() => this.#rotation.generateKey(this.#setup, keyId, keyType, signal), signal);
    return waitUntilAborted(generation, signal);
  }

  /** @throws KeyManagerError `INVALID_ARGUMENT` without an id, `NOT_FOUND` for one that is not ours */
  getPublicKey(keyId: string): PublicKey {
    return this.#setup.ring.lookUp(keyId);
  }

  getPublicKeys(): readonly PublicKey[] {
    return this.#setup.ring.list();
  }

  /** See {@link signData}. */
  signData(
    keyId: string,
    digest: Uint8Array,
    options: SignerOptions,
    stop?: AbortSignal | Cancellation,
  ): Promise<Signature> {
    return signData(this.#setup, keyId, digest, options, stop);
  }

  /** Lets what is under way come to an end while the signal allows, then stops. */
  async close(signal: AbortSignal): Promise<void> {
    this.#current?.stop.abort();
    await this.#deletions.flush(signal);
    this.#deletions.close();
    this.#current?.clients.close();
  }

  get #setup(): Setup {
    if (this.#current === undefined) throw new KeyManagerError("FAILED_PRECONDITION", "not configured");
    return this.#current.setup;
  }

  #setUp(
    config: C,
    clients: Clients,
    { names, keyPolicy, identity }: Preparation,
    {
      found: { entries, lookedAt, trustDomainAliases, elsewhere },
      signal,
    }: { readonly found: DiscoveredKeys; readonly signal: AbortSignal },
  ): Setup {
    const { clock, log } = this.#services;
    const { kms, tagging } = clients;
    const configuredAt = lookedAt ?? clock.now();
    const regions = regionsOf(config, clients);
    const fleet = new Fleet({ kms, names, clock, log, upkeep: config.upkeep, lookedAfter: regions.lookedAfter });
    if (trustDomainAliases !== undefined) fleet.learn(trustDomainAliases, configuredAt);
    const { keyTags, tagBasedKeyDiscovery } = config;
    const tagIdentity = tagBasedKeyDiscovery ? identity : undefined;
    const tags = new KeyTagging({ kms, clock, log, keyTags, identity: tagIdentity });
    const ring = new KeyRing(clock, entries, this.#current?.setup.ring);
    const onReplaced = (entry: KeyEntry): void => void scheduleReplaced(entry, setup);
    const replication = new Replication(
      { ...this.#services, names, ring, tags, keyPolicy, onReplaced },
      regions,
      signal,
    );
    const setup: Setup = {
      ...this.#services,
      config,
      kms,
      tagging,
      names,
      keyPolicy,
      tags,
      ring,
      kmsTime: new KmsTime(clock),
      regions,
      replication,
      failover: new FailoverSigner({ ...this.#services, ...regions }),
      isAway: elsewhere !== undefined,
      awaited: new Set(),
      configuredAt,
      fleet,
    };
    return setup;
  }

  /** Swaps the configurations. The replaced clients stay open: signatures and deletions under way still use them. */
  #takeEffect(current: Current, found: DiscoveredKeys): void {
    const { setup, clients, stop } = current;
    this.#current?.stop.abort();
    warnOfTagsLeft(this.#current?.setup, setup, setup.log);
    this.#current = current;
    clients.warm?.();
    tellOfRegions(setup);
    if (found.elsewhere !== undefined) {
      setup.failover.homeHasFailed(found.elsewhere.reason);
      return;
    }
    takeInCreated(found.unusable, setup, stop.signal, (entry) => setup.replication.bring(entry));
    for (const entry of setup.ring.entries.values()) setup.replication.bring(entry);
    const { upkeep } = setup.config;
    if (upkeep !== undefined) {
      const isRefreshDue = found.sinceRefreshMs >= upkeep.staleAliasThresholdMs / 2;
      startUpkeep(
        { ...upkeep, setup, untagged: found.untagged, isRefreshDue, signal: stop.signal },
        this.#options.tasks,
      );
    }
    scheduleOrphans(found, setup);
  }
}
