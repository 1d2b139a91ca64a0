/**
 * The key manager of a plugin process: not configured at first, configured again and again later.
 *
 * A configuration takes effect whole or not at all. Signing goes on with the old one until the new one stands;
 * generations wait for it, so that none falls between discovery and the swap.
 */

import type { KeyManagerConfig } from "./config.ts";
import { discoverKeys } from "./discovery/discover.ts";
import type { DiscoveredKeys } from "./discovery/key-discovery.ts";
import { KeyManagerError } from "./errors.ts";
import type { KeyEntries, PublicKey } from "./key-entry.ts";
import { KeyManager } from "./key-manager.ts";
import type { KeyType } from "./key-type.ts";
import { abortController, Gate, NamedQueue, waitUntilAborted } from "./pace/concurrency.ts";
import { LogLimits } from "./pace/log-limit.ts";
import type { Clock, IamClient, KmsClient, Logger, StsClient, TaggingClient } from "./ports.ts";
import { DeletionQueue } from "./removal/deletion-queue.ts";
import { disposeOfLeftovers } from "./removal/orphans-at-start.ts";
import { CreationCeiling } from "./rotation/creation-ceiling.ts";
import type { Preparation, Prepare } from "./setup.ts";
import { retagKeys, tagHooks } from "./tags/tag-mode.ts";
import type { Telemetry, TelemetryGauges } from "./telemetry.ts";
import type { Task } from "./upkeep/task.ts";
import { startUpkeep, type UpkeepOptions } from "./upkeep/upkeep.ts";

/** The clients of one configuration. */
export interface Clients {
  readonly kms: KmsClient;
  readonly sts: StsClient;
  readonly iam: IamClient;
  readonly tagging: TaggingClient;
  /** Lets go of idle connections; calls under way still end. */
  close(): void;
}

export interface ConfiguredKeyManagerOptions<C extends KeyManagerConfig> {
  readonly clock: Clock;
  readonly log: Logger;
  readonly telemetry?: Telemetry;
  readonly createClients: (config: C) => Promise<Clients> | Clients;
  /** The plugin's own part: names, key policy. */
  readonly prepare: Prepare<C>;
  /** Default: all tasks that the configuration asks for. */
  readonly tasks?: ((options: UpkeepOptions) => readonly Task[]) | undefined;
}

interface Current {
  readonly keyManager: KeyManager;
  readonly clients: Clients;
  /** Ends the upkeep of this configuration. */
  readonly stop: AbortController;
}

export class ConfiguredKeyManager<C extends KeyManagerConfig = KeyManagerConfig> {
  readonly #options: ConfiguredKeyManagerOptions<C>;
  readonly #gate = new Gate();
  readonly #generations = new NamedQueue();
  readonly #ceiling: CreationCeiling;
  readonly #limits: LogLimits;
  readonly #deletions: DeletionQueue;
  #current: Current | undefined;

  constructor(options: ConfiguredKeyManagerOptions<C>) {
    this.#options = options;
    this.#ceiling = new CreationCeiling(options.clock);
    this.#limits = new LogLimits(options.clock);
    this.#deletions = new DeletionQueue({
      clock: options.clock,
      log: options.log,
      telemetry: options.telemetry,
      isInUse: (keyArn) => this.#uses(keyArn),
    });
  }

  /** @throws KeyManagerError `FailedPrecondition` before the first successful {@link configure} */
  get current(): KeyManager {
    if (this.#current === undefined) throw new KeyManagerError("FAILED_PRECONDITION", "not configured");
    return this.#current.keyManager;
  }

  get gauges(): TelemetryGauges {
    return { liveKeys: this.#current?.keyManager.entries.size ?? 0, deletionsQueued: this.#deletions.size };
  }

  /**
   * Puts a configuration into effect: server id, key policy, keys found in KMS.
   *
   * @throws KeyManagerError; what was configured before goes on, and nothing is left behind
   */
  async configure(config: C, signal?: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    await this.#gate.exclusive(async () => {
      signal?.throwIfAborted();
      const clients = await this.#options.createClients(config);
      try {
        const context = { ...clients, log, signal };
        const preparation = await this.#options.prepare(config, context);
        const recent = this.#current?.keyManager.recentKeys ?? [];
        const found = await discoverKeys({ config, preparation, ...clients, clock, log, signal, recent });
        signal?.throwIfAborted();
        await preparation.commit();
        // The replaced clients stay open: signatures and deletions under way still use them.
        const keyManager = this.#createKeyManager(config, clients, preparation, found.entries);
        this.#current?.stop.abort();
        this.#current = { keyManager, clients, stop: abortController() };
        this.#startUpkeep(config, this.#current, preparation, found);
        this.#disposeOfLeftovers(found, config, clients, preparation);
        if (config.retagExistingKeys) await this.#retag(config, this.#current, signal);
      } catch (error) {
        clients.close();
        throw error;
      }
    });
  }

  /**
   * See {@link KeyManager.generateKey}. When the signal aborts the caller is let go at once, while the generation is
   * brought to an end behind it: a reconfiguration and the next generation of this id wait for that.
   */
  async generateKey(keyId: string, keyType: KeyType, signal?: AbortSignal): Promise<PublicKey> {
    const generation = this.#gate.shared(() => this.current.generateKey(keyId, keyType, signal), signal);
    return waitUntilAborted(generation, signal);
  }

  /** Lets what is under way come to an end while the signal allows, then stops. */
  async close(signal: AbortSignal): Promise<void> {
    this.#current?.stop.abort();
    await this.#deletions.flush(signal);
    this.#deletions.close();
    this.#current?.clients.close();
  }

  #createKeyManager(config: C, { kms }: Clients, preparation: Preparation, entries: KeyEntries): KeyManager {
    const { clock, log } = this.#options;
    const { pendingWindowInDays, maxKeysCreatedPerHour, maxLiveKeys, verifySignatures } = config;
    const { names, keyPolicy } = preparation;
    const context = {
      kms,
      names,
      keyPolicy,
      pendingWindowInDays,
      maxKeysCreatedPerHour,
      maxLiveKeys,
      verifySignatures,
      ...this.#tagHooks(config, kms, preparation),
      clock,
      log,
      telemetry: this.#options.telemetry,
      ceiling: this.#ceiling,
      limits: this.#limits,
      deletions: this.#deletions,
      generations: this.#generations,
    };
    return new KeyManager(context, entries, this.#current?.keyManager);
  }

  #disposeOfLeftovers(found: DiscoveredKeys, config: C, { kms }: Clients, preparation: Preparation): void {
    const { pendingWindowInDays, upkeep } = config;
    disposeOfLeftovers(found, {
      kms,
      names: preparation.names,
      log: this.#options.log,
      deletions: this.#deletions,
      pendingWindowInDays,
      dryRun: upkeep?.pruneDryRun ?? false,
      retire: this.#tagHooks(config, kms, preparation).retire,
    });
  }

  async #retag(config: C, { keyManager, clients }: Current, signal: AbortSignal | undefined): Promise<void> {
    const keyArns = [...keyManager.entries.values()].map(({ keyArn }) => keyArn);
    const { clock, log } = this.#options;
    await retagKeys(keyArns, { kms: clients.kms, clock, log, keyTags: config.keyTags }, signal);
  }

  #startUpkeep(
    config: C,
    { keyManager, clients, stop }: Current,
    preparation: Preparation,
    { unattendedMs, untagged }: DiscoveredKeys,
  ): void {
    const { clock, log, telemetry, tasks } = this.#options;
    const { upkeep, pendingWindowInDays, tagBasedKeyDiscovery } = config;
    const { names, identity } = preparation;
    if (upkeep === undefined) return;
    const options: UpkeepOptions = {
      ...upkeep,
      keyManager,
      kms: clients.kms,
      tagging: clients.tagging,
      tagIdentity: tagBasedKeyDiscovery ? identity : undefined,
      untagged,
      names,
      pendingWindowInDays,
      deletions: this.#deletions,
      isInUse: (keyArn) => this.#uses(keyArn),
      retire: this.#tagHooks(config, clients.kms, preparation).retire,
      isNeglected: unattendedMs >= upkeep.staleAliasThresholdMs / 2,
      clock,
      log,
      signal: stop.signal,
      telemetry,
    };
    startUpkeep(options, tasks);
  }

  #tagHooks({ keyTags, tagBasedKeyDiscovery }: C, kms: KmsClient, preparation: Preparation) {
    const { clock, log } = this.#options;
    const identity = tagBasedKeyDiscovery ? preparation.identity : undefined;
    return tagHooks({ kms, clock, log, keyTags, identity });
  }

  #uses(keyArn: string): boolean {
    for (const entry of this.#current?.keyManager.entries.values() ?? []) {
      if (entry.keyArn === keyArn) return true;
    }
    return false;
  }
}
