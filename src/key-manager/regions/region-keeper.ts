/**
 * Keeps the replicas of one Region: each key of this server gets one, and each is refreshed. Every Region has a keeper of its
 * own, so that one that is out of order delays neither a key nor another Region.
 *
 * There is no list of what is to be done but the keys in use, and no record of what was done but KMS: whatever a process
 * leaves, the next one finds.
 */
import { explain } from "../errors.ts";
import type { KeyEntry } from "../keys/key-entry.ts";
import { NamedQueue } from "../pace/concurrency.ts";
import { Pacer } from "../pace/pacer.ts";
import { type Task, TaskFailure, type TaskReport } from "../pace/task.ts";
import type { KmsClient } from "../ports.ts";
import {
  failedBecause,
  type Outcome,
  type ReplicationContext,
  ReplicaWork,
  type TargetRegion,
} from "./bring-replica.ts";
import type { ReplicaCondition, ReplicaState } from "./replica-state.ts";

/** KMS allows 5 CreateKey and 5 UpdateAlias a second, for the whole account and Region; each ReplicateKey is two of the former. */
const replicationsPerSecond = 1;
const aliasesPerSecond = 3;

const firstBackoffMs = 1_000;
const maxBackoffMs = 5 * 60_000;

/** What is not so for good: it is tried again. */
const isOpen = ({ condition }: Outcome): boolean => condition === "failed" || condition === "pending";

export class RegionKeeper {
  readonly region: string;
  readonly #context: ReplicationContext;
  readonly #target: TargetRegion;
  readonly #signal: AbortSignal;
  readonly #states = new Map<string, ReplicaState>();
  /** By SPIRE key id, those to be looked at now. */
  readonly #waiting = new Map<string, KeyEntry>();
  /** Attempts on one key go one after another. */
  readonly #turns = new NamedQueue();
  #isWorking = false;

  /** @param signal ends all work */
  constructor(context: ReplicationContext, region: string, kms: KmsClient, signal: AbortSignal) {
    const { clock } = context;
    this.region = region;
    this.#context = context;
    this.#signal = signal;
    this.#target = {
      region,
      kms,
      replicatePacer: new Pacer(clock, replicationsPerSecond),
      aliasPacer: new Pacer(clock, aliasesPerSecond),
    };
  }

  /** Of the keys in use. */
  get states(): readonly ReplicaState[] {
    const { ring } = this.#context;
    return [...this.#states.values()].filter(({ keyId, keyArn }) => ring.get(keyId)?.keyArn === keyArn);
  }

  /** Sees to it, in the background, that the key has its replica. */
  bring(entry: KeyEntry): void {
    if (this.#signal.aborted) return;
    if (this.#states.get(entry.keyId)?.keyArn !== entry.keyArn) this.#note(entry, { condition: "pending" });
    this.#waiting.set(entry.keyId, entry);
    if (!this.#isWorking) void this.#work();
  }

  /** All of them, refreshed. */
  refreshTask(intervalMs: number): Task {
    const { region } = this;
    return {
      name: `refresh replicas in ${region}`,
      consequence: `replicas in ${region} are missing or grow stale: servers there would schedule them for deletion once their aliases are older than stale_alias_threshold`,
      isRefresh: true,
      intervalMs,
      runOnce: (signal) => this.#refreshAll(AbortSignal.any([signal, this.#signal])),
    };
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let [next] = this.#waiting.values(); next !== undefined; [next] = this.#waiting.values()) {
      this.#waiting.delete(next.keyId);
      const entry = next;
      const outcome = await this.#attempt(entry, false).catch(failedBecause);
      if (this.#signal.aborted) break;
      if (isOpen(outcome)) void this.#retry(entry, firstBackoffMs);
    }
    this.#isWorking = false;
  }

  /** Each key waits by itself, so that one that cannot be replicated does not hold up the others. */
  async #retry(entry: KeyEntry, delayMs: number): Promise<void> {
    const { clock, ring } = this.#context;
    try {
      await clock.sleep(delayMs * (0.5 + clock.random() / 2), this.#signal);
    } catch {
      return;
    }
    if (ring.get(entry.keyId)?.keyArn !== entry.keyArn) return;
    const outcome = await this.#attempt(entry, false).catch(failedBecause);
    if (isOpen(outcome) && !this.#signal.aborted) void this.#retry(entry, Math.min(delayMs * 2, maxBackoffMs));
  }

  async #refreshAll(signal: AbortSignal): Promise<TaskReport> {
    const counts = new Map<ReplicaCondition, number>();
    const failed: string[] = [];
    let failure: unknown;
    for (const entry of this.#context.ring.entries.values()) {
      try {
        const { condition } = await this.#attempt(entry, true);
        counts.set(condition, (counts.get(condition) ?? 0) + 1);
      } catch (error) {
        signal.throwIfAborted();
        failed.push(entry.keyId);
        failure = error;
      }
    }
    if (failed.length > 0) throw new TaskFailure(`${failed.length} replicas were not refreshed`, failed, failure);
    return Object.fromEntries(counts);
  }

  /** @throws KmsError, KeyManagerError */
  #attempt(entry: KeyEntry, isRefresh: boolean): Promise<Outcome> {
    return this.#turns.run(entry.keyId, () => this.#attemptNow(entry, isRefresh));
  }

  async #attemptNow(entry: KeyEntry, isRefresh: boolean): Promise<Outcome> {
    try {
      const outcome = await new ReplicaWork(this.#context, this.#target, entry, this.#signal).run(isRefresh);
      this.#note(entry, outcome);
      return outcome;
    } catch (error) {
      if (!this.#signal.aborted) this.#note(entry, failedBecause(error), error);
      throw error;
    }
  }

  #note(entry: KeyEntry, outcome: Outcome, error?: unknown): void {
    const { clock, ring } = this.#context;
    const { keyId, keyArn } = entry;
    if (ring.get(keyId)?.keyArn !== keyArn) return;
    const before = this.#states.get(keyId);
    const isSame = before?.keyArn === keyArn && before.condition === outcome.condition;
    const since = isSame ? before.since : clock.now();
    this.#states.set(keyId, { keyId, keyArn, region: this.region, ...outcome, since });
    if (!isSame) this.#tell(entry, outcome, error);
  }

  #tell({ keyId, keyArn }: KeyEntry, { condition, reason }: Outcome, error: unknown): void {
    const { log, limits, telemetry } = this.#context;
    const about = { key_id: keyId, key_arn: keyArn, replica_region: this.region, state: condition };
    if (condition === "ready") log.info("Replica is ready", about);
    if (condition === "single-Region") {
      log.info("Key was made before and has no replica: the next rotation replaces it by one that has", about);
    }
    if (condition === "missing") log.info("Replica is not there yet", { ...about, reason });
    if (condition === "unusable") log.error("Replica cannot be used", { ...about, reason });
    if (condition !== "failed") return;
    telemetry.count("replications_failed");
    limits.run(`replication to ${this.region}`, (more) =>
      log.warn("Failed to bring a key into another Region; it is tried again, and the key is in use meanwhile", {
        ...about,
        reason: error === undefined ? reason : explain(error),
        ...more,
      }),
    );
  }
}
