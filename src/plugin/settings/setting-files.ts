/**
 * Reads the files that settings name, bounded in kind, size and time.
 *
 * A named pipe, a device or a hung mount would otherwise hold a Configure, and everything that waits for it, for ever. What
 * hangs in the operating system cannot be called back and keeps one of the few threads that Node has for files and for
 * looking up host names: no caller starts a second wait for the same path, nor more than two at all.
 */
import { constants, type Stats } from "node:fs";
import { lstat, open, readlink, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { KeyManagerError } from "../../key-manager/errors.ts";
import type { Clock } from "../../key-manager/ports.ts";

const limitMs = 5_000;
const maxHanging = 2;

/** As much of Node's file system as is used. */
export interface FileSystem {
  readonly stat: (path: string) => Promise<Stats>;
  readonly lstat: (path: string) => Promise<Stats>;
  readonly readlink: (path: string) => Promise<string>;
  readonly open: (path: string, flags: number) => Promise<OpenFile>;
}

export interface OpenFile {
  stat(): Promise<Stats>;
  read(buffer: Uint8Array, offset: number, length: number, position: null): Promise<{ readonly bytesRead: number }>;
  close(): Promise<void>;
}

const nodeFileSystem: FileSystem = { stat, lstat, readlink, open };

/** A file as the configuration names it. */
export interface SettingFile {
  readonly setting: string;
  readonly path: string;
  readonly maxBytes: number;
  /** What the setting must name, for messages: a sentence without its full stop. */
  readonly advice: string;
}

const words: Readonly<Record<string, string>> = {
  EACCES: "the SPIRE Server's user may not read it",
  EPERM: "the SPIRE Server's user may not read it",
  EISDIR: "it is a folder",
  ELOOP: "it is a link that leads to itself",
  ENOENT: "there is no such file",
  ENOTDIR: "it lies below something that is no folder",
  ENXIO: "it is a socket or a device",
};

export const errnoOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : String(error);

/** Names setting, path, what is wrong and what to do about it; never what the file holds. */
export function fileProblem({ setting, path, advice }: SettingFile, verb: string, why: string, cause?: unknown) {
  return new KeyManagerError("FAILED_PRECONDITION", `${setting} ${path} cannot be ${verb}: ${why}; ${advice}`, {
    cause,
  });
}

/** A failure of the file system, in words. */
export function systemProblem(file: SettingFile, verb: string, cause: unknown): KeyManagerError {
  if (cause instanceof KeyManagerError) return cause;
  const errno = errnoOf(cause);
  const word = words[errno];
  return fileProblem(file, verb, word === undefined ? errno : `${errno}, ${word}`, cause);
}

function kindOf(stats: Stats): string | undefined {
  if (stats.isFile()) return undefined;
  if (stats.isDirectory()) return "EISDIR, it is a folder";
  if (stats.isFIFO()) return "it is a named pipe, not a file";
  if (stats.isSocket()) return "it is a socket, not a file";
  return "it is a device, not a file";
}

export class SettingFiles {
  readonly #clock: Clock;
  readonly #fileSystem: FileSystem;
  /** Paths whose work has not come to its end in time. */
  readonly #hanging = new Set<string>();

  constructor({ clock, fileSystem = nodeFileSystem }: { readonly clock: Clock; readonly fileSystem?: FileSystem }) {
    this.#clock = clock;
    this.#fileSystem = fileSystem;
  }

  /**
   * Reads a file as UTF-8 text, without a byte order mark.
   *
   * @returns undefined when there is no such file in a folder that exists
   * @throws KeyManagerError `FAILED_PRECONDITION` for what is no regular file of good size, or does not answer in time
   */
  async read(file: SettingFile): Promise<string | undefined> {
    return this.inTime(file, "read", () => this.#read(file));
  }

  /**
   * Waits for work on a file, and not longer than five seconds; the work itself cannot be stopped.
   *
   * @throws KeyManagerError `FAILED_PRECONDITION` then, and at once while earlier work on this file hangs; what the work throws
   */
  async inTime<T>(file: SettingFile, verb: string, work: () => Promise<T>): Promise<T> {
    const { path } = file;
    const hangs = (why: string) => fileProblem(file, verb, `${why} (a hung mount?)`);
    if (this.#hanging.has(path)) throw hangs("the file system has not answered an earlier attempt yet");
    if (this.#hanging.size >= maxHanging) throw hangs("the file system does not answer for other files");
    const running = work();
    const done = new AbortController();
    const late = this.#clock.sleep(limitMs, done.signal).then(
      () => {
        this.#hanging.add(path);
        const free = () => this.#hanging.delete(path);
        running.then(free, free);
        throw hangs(`the file system does not answer within ${limitMs / 1000} s`);
      },
      () => new Promise<never>(() => undefined),
    );
    try {
      return await Promise.race([running, late]);
    } finally {
      done.abort();
    }
  }

  async #read(file: SettingFile): Promise<string | undefined> {
    const { path, maxBytes } = file;
    try {
      // Before it is opened: opening a device may do something to it.
      requireFile(file, await this.#fileSystem.stat(path));
      const handle = await this.#fileSystem.open(path, constants.O_RDONLY | nonBlocking);
      try {
        const stats = await handle.stat();
        requireFile(file, stats);
        return decode(file, await readBounded(handle, maxBytes));
      } finally {
        await handle.close();
      }
    } catch (cause) {
      if (errnoOf(cause) !== "ENOENT") throw systemProblem(file, "read", cause);
      await this.#requireMissing(file, cause);
      return undefined;
    }
  }

  /** A file that is not there is one thing, a link to nowhere or a missing folder another. */
  async #requireMissing(file: SettingFile, cause: unknown): Promise<void> {
    const { path } = file;
    const link = await this.#fileSystem.lstat(path).catch(() => undefined);
    if (link?.isSymbolicLink()) {
      const target = await this.#fileSystem.readlink(path).catch(() => "a file");
      throw fileProblem(file, "read", `ENOENT, it is a link to ${target}, which does not exist`, cause);
    }
    const folder = await this.#fileSystem.stat(dirname(path)).catch(() => undefined);
    if (folder === undefined) throw fileProblem(file, "read", `ENOENT, there is no folder ${dirname(path)}`, cause);
  }
}

/** Opening a named pipe waits for its other end; a terminal must not become the process's own. Windows has neither. */
const nonBlocking = (constants.O_NONBLOCK ?? 0) | (constants.O_NOCTTY ?? 0);

function requireFile(file: SettingFile, stats: Stats): void {
  const kind = kindOf(stats);
  if (kind !== undefined) throw fileProblem(file, "read", kind);
  if (stats.size > file.maxBytes) throw tooLarge(file, stats.size);
}

const tooLarge = (file: SettingFile, bytes: number) =>
  fileProblem(file, "read", `it has ${bytes} bytes, and at most ${file.maxBytes} are read`);

/** One byte more than allowed, so that a file that grows meanwhile, or does not tell its size, is noticed. */
async function readBounded(handle: OpenFile, maxBytes: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(maxBytes + 1);
  let length = 0;
  while (length < buffer.length) {
    const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return buffer.subarray(0, length);
}

function decode(file: SettingFile, bytes: Uint8Array): string {
  if (bytes.length > file.maxBytes) throw tooLarge(file, bytes.length);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw fileProblem(file, "read", "it is no UTF-8 text", cause);
  }
}
