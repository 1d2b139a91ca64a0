/**
 * What earlier runs saw, in a file that the operator names: KMS itself forgets which server a replaced key belonged to, and
 * every key once it is deleted.
 */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { InventorySummary } from "../../key-manager/inventory/inventory.ts";
import type { KeyRow } from "../../key-manager/inventory/key-row.ts";
import { ConfigurationError } from "../configuration/configuration.ts";

/** A run in numbers. */
export interface PastRun {
  readonly at: string;
  readonly keys: number;
  readonly pending: number;
  readonly stale: number;
  readonly orphaned: number;
  readonly costUsd: number;
}

/** A key as it was seen last. */
export interface PastKey {
  readonly region: string;
  readonly server?: string;
  readonly id?: string;
  readonly created?: string;
  readonly seen: string;
  /** When a run first found it pending deletion, and when one first did not find it. */
  readonly pending?: string;
  readonly ended?: string;
}

export interface History {
  readonly format: "spire-aws-kms/history";
  readonly version: 1;
  readonly trustDomain: string;
  readonly runs: readonly PastRun[];
  /** By key id. */
  readonly keys: Readonly<Record<string, PastKey>>;
}

const dayMs = 86_400_000;
const maxRuns = 1_000;
const maxKeys = 50_000;
const maxBytes = 64 * 1_048_576;
/** Keys that ended longer ago are forgotten. */
const rememberedMs = 120 * dayMs;

export const emptyHistory = (trustDomain: string): History => ({
  format: "spire-aws-kms/history",
  version: 1,
  trustDomain,
  runs: [],
  keys: Object.create(null) as Record<string, PastKey>,
});

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isTime = (value: unknown): value is string => typeof value === "string" && !Number.isNaN(Date.parse(value));
const isMaybeTime = (value: unknown): boolean => value === undefined || isTime(value);
const isMaybeText = (value: unknown): boolean => value === undefined || typeof value === "string";

const isRun = (value: unknown): value is PastRun =>
  isRecord(value) &&
  isTime(value.at) &&
  [value.keys, value.pending, value.stale, value.orphaned, value.costUsd].every(Number.isFinite);

const isPastKey = (value: unknown): value is PastKey =>
  isRecord(value) &&
  typeof value.region === "string" &&
  isTime(value.seen) &&
  [value.created, value.pending, value.ended].every(isMaybeTime) &&
  [value.server, value.id].every(isMaybeText);

function parse(text: string): History | string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  if (!isRecord(value) || value.format !== "spire-aws-kms/history") return "it is no history of spire-aws-kms report";
  if (value.version !== 1) return "it was written by another release";
  const { trustDomain, runs, keys } = value;
  if (typeof trustDomain !== "string" || !Array.isArray(runs) || !runs.every(isRun)) return "it is damaged";
  if (!isRecord(keys) || !Object.values(keys).every(isPastKey)) return "it is damaged";
  return { ...emptyHistory(trustDomain), runs, keys: Object.assign(Object.create(null), keys) };
}

/** @throws ConfigurationError where the file is not one of ours: it is not to be overwritten then */
export async function readHistory(path: string, trustDomain: string): Promise<History> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return emptyHistory(trustDomain);
    throw new ConfigurationError([`--history: ${path} cannot be read: ${code}`]);
  }
  const history = text.length > maxBytes ? "it is too large" : parse(text);
  const problem =
    typeof history === "string"
      ? history
      : history.trustDomain === trustDomain
        ? undefined
        : `it is of the trust domain ${history.trustDomain}`;
  if (problem !== undefined || typeof history === "string") {
    throw new ConfigurationError([`--history: ${path} is left as it is: ${problem}; name another file`]);
  }
  return history;
}

/** The last run of a day, for days longer ago than a month. */
function thinned(runs: readonly PastRun[], now: Date): PastRun[] {
  const byDay = new Map<string, PastRun>();
  for (const run of runs) {
    const isRecent = now.getTime() - Date.parse(run.at) < 30 * dayMs;
    byDay.set(isRecent ? run.at : run.at.slice(0, 10), run);
  }
  return [...byDay.values()].slice(-maxRuns);
}

function pastKeyOf(row: KeyRow, known: PastKey | undefined, now: string): PastKey {
  const server = row.serverId ?? known?.server;
  const id = row.spireKeyId ?? known?.id;
  const isPending = row.keyState === "PendingDeletion" || row.keyState === "PendingReplicaDeletion";
  return {
    region: row.region,
    ...(server === undefined ? {} : { server }),
    ...(id === undefined ? {} : { id }),
    ...(row.createdAt === undefined ? {} : { created: row.createdAt.toISOString() }),
    seen: now,
    ...(isPending ? { pending: known?.pending ?? now } : {}),
  };
}

/** The history with this run in it. @param regions those that were looked at, whole */
export function withRun(
  history: History,
  rows: readonly KeyRow[],
  summary: InventorySummary,
  regions: readonly string[],
): History {
  const now = summary.now.toISOString();
  const own = rows.filter((row) => row.class !== "foreign");
  const keys: Record<string, PastKey> = Object.create(null);
  for (const row of own) keys[row.keyId] = pastKeyOf(row, history.keys[row.keyId], now);
  let room = maxKeys - own.length;
  for (const [keyId, known] of Object.entries(history.keys)) {
    if (keys[keyId] !== undefined) continue;
    const isSeen = summary.isComplete && regions.includes(known.region);
    const past = isSeen && known.ended === undefined ? { ...known, ended: now } : known;
    if (past.ended !== undefined && summary.now.getTime() - Date.parse(past.ended) > rememberedMs) continue;
    if (room-- > 0) keys[keyId] = past;
  }
  const run: PastRun = {
    at: now,
    keys: own.length,
    pending: summary.byClass["pending deletion"],
    stale: summary.byClass.stale,
    orphaned: summary.byClass.orphaned,
    costUsd: summary.monthlyCostUsd,
  };
  // What a missing permission hides would look like a fall in numbers.
  const runs = summary.isComplete ? [...history.runs, run] : history.runs;
  return { ...history, runs: thinned(runs, summary.now), keys };
}

export async function writeHistory(path: string, history: History): Promise<void> {
  const beside = `${path}.${process.pid}.new`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(beside, `${JSON.stringify(history)}\n`, { mode: 0o600 });
    await rename(beside, path);
  } catch (error) {
    throw new ConfigurationError([`--history: ${path} cannot be written: ${(error as NodeJS.ErrnoException).code}`]);
  }
}
