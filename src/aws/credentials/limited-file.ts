/** Small text files that others put there, read within limits: a pipe, a device or a dead mount must not stop a start. */
import { constants, type FileHandle, open } from "node:fs/promises";
import { sourceError, sourceTimeout } from "./source-error.ts";
import { type StartTimer, within } from "./time-limit.ts";

/** Reads a file to its end. Rejects with the system's error, code included, when there is none. */
export type ReadText = (path: string) => Promise<string>;

/** The shared files and tokens of AWS have a few kilobytes, certificate authorities a few hundred. */
const maxBytes = 4 * 1024 * 1024;
const limitMs = 5_000;

async function readOpen(file: FileHandle, path: string): Promise<string> {
  const stat = await file.stat();
  // Where /dev/null stands for a file, none is wanted.
  if (stat.isCharacterDevice()) return "";
  if (!stat.isFile()) throw sourceError(`${path} is not a regular file`);
  const bytes = Buffer.alloc(maxBytes + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, length);
    length += bytesRead;
    if (bytesRead === 0 || length > maxBytes) break;
  }
  if (length > maxBytes) throw sourceError(`${path} has more than ${maxBytes} bytes`);
  return bytes.toString("utf8", 0, length);
}

async function read(path: string): Promise<string> {
  // A pipe without a writer would hold one of Node's few file threads for ever.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    return await readOpen(file, path);
  } finally {
    await file.close();
  }
}

/** @param startTimer for the time limit; replaced in tests, and so is `readFile` */
export function limitedFiles(startTimer?: StartTimer, readFile: ReadText = read): ReadText {
  /** Reads under way. One that hangs holds a thread: a second one of the same file would hold another. */
  const pending = new Map<string, Promise<string>>();
  const shared = (path: string): Promise<string> => {
    const known = pending.get(path);
    if (known !== undefined) return known;
    const reading = readFile(path).finally(() => pending.delete(path));
    pending.set(path, reading);
    return reading;
  };
  const timeout = (path: string) => () => sourceTimeout(`the file ${path}`, limitMs);
  return (path) =>
    within({ limitMs, timeout: timeout(path), ...(startTimer === undefined ? {} : { startTimer }) }, () =>
      shared(path),
    );
}
