/** Keeps the state in a file: every commit is appended, and the file is written anew when it has grown. */
import { closeSync, fdatasyncSync, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import type { EmulatorClock } from "../drills/clock.ts";
import { EmulatorError } from "../errors.ts";
import type { Recorder } from "../state/recorder.ts";
import type { Mutation } from "../state/records.ts";
import type { Store } from "../state/store.ts";
import { lockDataFile } from "./data-file-lock.ts";
import { encodeEntry, encodeLine, header } from "./log-line.ts";
import { readLog } from "./read-log.ts";
import { linesOf, syncDirectory, writePieces } from "./snapshot-file.ts";

/** The log is rewritten when it has grown by this much beyond twice its size after the last rewriting. */
const slackBytes = 8 * 1024 * 1024;

interface DataFileOptions {
  readonly path: string;
  /**
   * True: every change is on the disk before it is answered, so it survives a power cut. False: it is in the kernel, so it
   * survives the end of the process in any form, kill -9 included.
   */
  readonly fsync: boolean;
}

const unwritable = (path: string, cause: unknown): EmulatorError =>
  new EmulatorError("DATA_FILE_UNWRITABLE", `cannot write data file ${path}: ${(cause as Error).message}`, { cause });

/**
 * The state in an append-only log. Every change is written before it takes effect and before it is answered; an
 * interrupted write is recognised by its checksum and left out. Now and then the log is replaced, by rename, by a
 * snapshot of the state.
 */
export class DataFile implements Recorder {
  readonly #options: DataFileOptions;
  readonly #store: Store;
  readonly #clock: EmulatorClock;
  readonly #unlock: () => void;
  #descriptor = -1;
  #bytes = 0;
  #compactAtBytes = slackBytes;
  #isCompactionDue = false;
  #failure: EmulatorError | undefined;

  /** Reads the file into `store`, which must be empty, and then records what happens to it. */
  static open(options: DataFileOptions, store: Store, clock: EmulatorClock): DataFile {
    const unlock = lockDataFile(options.path);
    try {
      const file = new DataFile(options, store, clock, unlock);
      file.#start();
      return file;
    } catch (error) {
      unlock();
      throw error;
    }
  }

  /** Called by {@link DataFile.open} alone, which holds the lock. */
  constructor(options: DataFileOptions, store: Store, clock: EmulatorClock, unlock: () => void) {
    this.#options = options;
    this.#store = store;
    this.#clock = clock;
    this.#unlock = unlock;
  }

  append(mutations: readonly Mutation[], atMs: number): void {
    this.#write(encodeEntry({ atMs, mutations }));
    if (this.#bytes > this.#compactAtBytes) this.#isCompactionDue = true;
  }

  replace(mutations: readonly Mutation[], atMs: number): void {
    this.#rewrite(mutations, atMs);
  }

  clockMoved(nowMs: number): void {
    this.#write(encodeEntry({ atMs: nowMs, mutations: [], aheadMs: nowMs - Date.now() }));
  }

  /** Called between calls, when the state in memory is the state of the log. */
  compactIfDue(): void {
    if (!this.#isCompactionDue) return;
    this.#isCompactionDue = false;
    try {
      this.#rewrite(this.#store.snapshot(), this.#clock.now());
    } catch (error) {
      // The log as it is stays whole and valid; it is rewritten when it has grown as much again.
      if (!(error instanceof EmulatorError)) throw error;
      this.#compactAtBytes = this.#bytes * 2;
    }
  }

  close(): void {
    if (this.#descriptor >= 0) closeSync(this.#descriptor);
    this.#descriptor = -1;
    this.#failure ??= new EmulatorError("CLOSED", "the emulator was closed");
    this.#unlock();
  }

  #start(): void {
    const { path } = this.#options;
    const log = readLog(path);
    let lastMs = 0;
    let aheadMs = 0;
    for (const entry of log.entries) {
      lastMs = Math.max(lastMs, entry.atMs);
      aheadMs = entry.aheadMs ?? aheadMs;
      for (const mutation of entry.mutations) this.#store.apply(mutation, entry.atMs);
    }
    this.#catchUp(lastMs, aheadMs);
    // Uses before the restart are not known, so tracking must not seem older than the clock was then.
    this.#store.lastUsage.begin(this.#clock.now());
    this.#open(log.goodBytes());
    this.#store.recorder = this;
    this.#store.settle(this.#clock.now());
  }

  /** Time never goes back across a restart, and a clock that had been moved stays moved. */
  #catchUp(lastMs: number, aheadMs: number): void {
    const target = Math.max(lastMs, aheadMs > 0 ? Date.now() + aheadMs : 0);
    const nowMs = this.#clock.now();
    if (target > nowMs) this.#clock.advance(target - nowMs);
  }

  #open(goodBytes: number): void {
    const { path } = this.#options;
    try {
      this.#descriptor = openSync(path, "a", 0o600);
      ftruncateSync(this.#descriptor, goodBytes);
    } catch (cause) {
      throw unwritable(path, cause);
    }
    this.#bytes = goodBytes;
    this.#compactAtBytes = goodBytes * 2 + slackBytes;
    if (goodBytes === 0) this.#write(encodeLine(header));
  }

  #write(line: string): void {
    if (this.#failure) throw this.#failure;
    const bytes = Buffer.from(line);
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor, bytes, done);
      if (this.#options.fsync) fdatasyncSync(this.#descriptor);
      this.#bytes += bytes.length;
    } catch (cause) {
      this.#undoPartialWrite();
      throw unwritable(this.#options.path, cause);
    }
  }

  /** A full disk may have taken half a line; nothing may be written after that half. */
  #undoPartialWrite(): void {
    try {
      ftruncateSync(this.#descriptor, this.#bytes);
    } catch (cause) {
      this.#failure = unwritable(this.#options.path, cause);
    }
  }

  /** Writes a new file beside the old one and puts it in its place: at every moment one of the two is whole. */
  #rewrite(mutations: Iterable<Mutation>, atMs: number): void {
    const { path } = this.#options;
    const next = `${path}.new`;
    let descriptor = -1;
    try {
      rmSync(next, { force: true });
      descriptor = openSync(next, "ax", 0o600);
      const bytes = writePieces(descriptor, linesOf(mutations, atMs, atMs - Date.now()));
      fsyncSync(descriptor);
      renameSync(next, path);
      const old = this.#descriptor;
      this.#descriptor = descriptor;
      this.#bytes = bytes;
      this.#compactAtBytes = bytes * 2 + slackBytes;
      closeSync(old);
    } catch (cause) {
      if (descriptor >= 0 && descriptor !== this.#descriptor) closeSync(descriptor);
      throw unwritable(path, cause);
    }
    syncDirectory(dirname(path));
  }
}
