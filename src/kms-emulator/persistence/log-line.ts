/** One line of the data file: a batch of changes with its checksum. */
import { createHash } from "node:crypto";
import type { Mutation } from "../state/records.ts";
import { decodeMutation, type Intern } from "./state-codec.ts";

/** One line of the data file: the changes of one call, which all happened or all did not. */
export interface LogEntry {
  readonly atMs: number;
  readonly mutations: readonly Mutation[];
  /** Written when the clock was moved: how far the emulator's time was ahead of the host's. */
  readonly aheadMs?: number;
}

export const header = { format: "spire-aws-kms/kms-emulator-log", version: 1 } as const;

const checksumLength = 16;

const checksum = (json: string): string => createHash("sha256").update(json).digest("hex").slice(0, checksumLength);

/** `checksum json newline`: a line that was cut off, or whose bytes have changed, does not pass for one. */
export function encodeLine(value: unknown): string {
  const json = JSON.stringify(value);
  return `${checksum(json)} ${json}\n`;
}

export const encodeEntry = (entry: LogEntry): string => encodeLine(entry);

/** The value of a line without its newline; undefined if it is damaged. */
export function decodeLine(line: string): unknown {
  const json = line.slice(checksumLength + 1);
  if (line[checksumLength] !== " " || line.slice(0, checksumLength) !== checksum(json)) return undefined;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

/** Undefined if the value, though intact, is nothing that this emulator writes. */
export function readEntry(value: unknown, intern: Intern): LogEntry | undefined {
  const entry = value as Partial<Record<keyof LogEntry, unknown>> | null | undefined;
  if (typeof entry?.atMs !== "number" || !Array.isArray(entry.mutations)) return undefined;
  const mutations: Mutation[] = [];
  for (const encoded of entry.mutations) {
    const mutation = decodeMutation(encoded, intern);
    if (!mutation) return undefined;
    mutations.push(mutation);
  }
  return { atMs: entry.atMs, mutations, ...(typeof entry.aheadMs === "number" ? { aheadMs: entry.aheadMs } : {}) };
}

export function isHeader(value: unknown): boolean {
  const read = value as { format?: unknown; version?: unknown } | null | undefined;
  return read?.format === header.format && read.version === header.version;
}
