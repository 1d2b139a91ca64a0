/** How the store makes its changes durable. */
import type { Mutation } from "./records.ts";

/** Called with every batch of changes before it takes effect; throws if it cannot be made durable. */
export interface Recorder {
  append(mutations: readonly Mutation[], atMs: number): void;
  /** The batch replaces everything before it. */
  replace(mutations: readonly Mutation[], atMs: number): void;
  /** Called after the clock was moved by hand. */
  clockMoved(nowMs: number): void;
  /** Called after a commit: the time for housekeeping. */
  compactIfDue(): void;
}
