/** How many keys there were, are and will be, and what they cost. */
import type { KeyLife, Lives } from "./key-lives.ts";
import type { ReportData } from "./report-data.ts";
import type { TimeScale } from "./time-scale.ts";

export interface CoursePoint {
  readonly time: Date;
  /** Keys that cost something. */
  readonly keys: number;
  readonly pending: number;
  readonly costUsd: number;
}

export interface Course {
  /** `runs`: as earlier runs saw it. `present`: reckoned from what is still there, which leaves out what KMS has deleted. */
  readonly source: "runs" | "present";
  /** Up to now. */
  readonly past: readonly CoursePoint[];
  /** From now on, if nothing is made and nothing more is scheduled for deletion. */
  readonly coming: readonly CoursePoint[];
}

const points = 60;

function pointAt(lives: readonly KeyLife[], time: Date): CoursePoint {
  let keys = 0;
  let pending = 0;
  let costUsd = 0;
  for (const { createdAt, pendingFrom, endsAt, row, class: name } of lives) {
    if (name === "ended" || (createdAt !== undefined && createdAt > time)) continue;
    if (endsAt !== undefined && endsAt <= time) continue;
    if (pendingFrom !== undefined && pendingFrom <= time) {
      pending++;
      continue;
    }
    keys++;
    // A key that waits for its deletion has cost something before.
    costUsd += pendingFrom === undefined ? (row?.monthlyCostUsd ?? 0) : 1;
  }
  return { time, keys, pending, costUsd };
}

const between = (from: Date, to: Date, count: number): Date[] =>
  Array.from({ length: count + 1 }, (_, index) => {
    const part = (to.getTime() - from.getTime()) * (index / count);
    return new Date(from.getTime() + part);
  });

export function courseOf({ history, rows }: ReportData, { servers, nameless }: Lives, scale: TimeScale): Course {
  const lives = [...servers.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.lives)), ...nameless];
  const future = lives.flatMap(({ endsAt }) => (endsAt !== undefined && endsAt > scale.now ? [endsAt] : []));
  const hasFuture = future.length > 0;
  const coming = hasFuture ? between(scale.now, scale.to, 20).map((time) => pointAt(lives, time)) : [];
  const runs = history?.runs ?? [];
  if (runs.length > 1) {
    const past = runs.map(({ at, keys, pending, costUsd }) => ({
      time: new Date(at),
      keys: keys - pending,
      pending,
      costUsd,
    }));
    return { source: "runs", past, coming };
  }
  const past = rows.length === 0 ? [] : between(scale.from, scale.now, points).map((time) => pointAt(lives, time));
  return { source: "present", past, coming };
}
