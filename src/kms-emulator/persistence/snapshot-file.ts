/** Writes a whole state as the lines of a new data file. */
import { closeSync, fsyncSync, openSync, writeSync } from "node:fs";
import type { Mutation } from "../state/records.ts";
import { encodeEntry, encodeLine, header, type LogEntry } from "./log-line.ts";

/** A snapshot is written in pieces of about this size. */
const pieceBytes = 1024 * 1024;

/** The lines of a log that begins with a whole state. `aheadMs`: how far the clock is ahead of the host's. */
export function* linesOf(mutations: Iterable<Mutation>, atMs: number, aheadMs: number): Generator<string> {
  yield encodeLine(header);
  const clock: LogEntry = { atMs, mutations: [], ...(aheadMs > 1000 ? { aheadMs } : {}) };
  yield encodeEntry(clock);
  for (const mutation of mutations) yield encodeEntry({ atMs, mutations: [mutation] });
}

/** Writes everything and returns the number of bytes. */
export function writePieces(descriptor: number, lines: Iterable<string>): number {
  let total = 0;
  let piece: string[] = [];
  let length = 0;
  const flush = () => {
    const bytes = Buffer.from(piece.join(""));
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
    total += bytes.length;
    piece = [];
    length = 0;
  };
  for (const line of lines) {
    piece.push(line);
    length += line.length;
    if (length >= pieceBytes) flush();
  }
  flush();
  return total;
}

/** Makes the rename itself durable against a power cut, where the system can sync a directory. */
export function syncDirectory(path: string): void {
  let descriptor = -1;
  try {
    descriptor = openSync(path, "r");
    fsyncSync(descriptor);
  } catch {
    // Windows and some file systems refuse; the rename is atomic without it.
  } finally {
    if (descriptor >= 0) closeSync(descriptor);
  }
}
