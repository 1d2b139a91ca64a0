/** The replicas of this server's keys in all Regions that the configuration names: one keeper for each. */
import type { KeyEntry } from "../keys/key-entry.ts";
import { Pacer } from "../pace/pacer.ts";
import type { Task } from "../pace/task.ts";
import type { ReplicationContext } from "./bring-replica.ts";
import { RegionKeeper } from "./region-keeper.ts";
import type { Regions } from "./regions.ts";
import type { ReplicaState } from "./replica-state.ts";

/** KMS allows 5 ReplicateKey a second. */
const replicationsPerSecond = 2;

export class Replication {
  readonly #keepers: readonly RegionKeeper[];

  /** @param signal ends all work */
  constructor(context: Omit<ReplicationContext, "home" | "homePacer">, regions: Regions, signal: AbortSignal) {
    const kms = regions.kmsIn(regions.home);
    const homePacer = new Pacer(context.clock, replicationsPerSecond);
    this.#keepers = regions.replicas.flatMap((region) => {
      const there = regions.kmsIn(region);
      if (kms === undefined || there === undefined) return [];
      return [new RegionKeeper({ ...context, home: { region: regions.home, kms }, homePacer }, region, there, signal)];
    });
  }

  get states(): readonly ReplicaState[] {
    return this.#keepers.flatMap(({ states }) => states);
  }

  /** Sees to it, in the background, that the key has its replicas. */
  bring(entry: KeyEntry): void {
    for (const keeper of this.#keepers) keeper.bring(entry);
  }

  tasks(intervalMs: number): readonly Task[] {
    return this.#keepers.map((keeper) => keeper.refreshTask(intervalMs));
  }
}
