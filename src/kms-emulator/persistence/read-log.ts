/** Reads a data file, and tells a torn last line from a damaged file. */
import { readFileSync } from "node:fs";
import { EmulatorError } from "../errors.ts";
import { decodeLine, isHeader, type LogEntry, readEntry } from "./log-line.ts";
import { createIntern } from "./state-codec.ts";

/** What a data file holds. */
interface LogContents {
  readonly entries: Iterable<LogEntry>;
  /** Bytes up to the end of the last whole line; what follows is a write that was interrupted. Valid after iteration. */
  readonly goodBytes: () => number;
}

const newline = 0x0a;

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return Buffer.alloc(0);
    throw new EmulatorError("DATA_FILE_UNREADABLE", `cannot read data file ${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
}

const corrupt = (path: string, what: string): EmulatorError =>
  new EmulatorError("DATA_FILE_CORRUPT", `data file ${path} is corrupt: ${what}`);

/** True if any line after `start` is intact: then the damage before it is not the torn end of an interrupted write. */
function hasIntactLine(bytes: Buffer, start: number): boolean {
  for (let at = start; at < bytes.length; ) {
    const end = bytes.indexOf(newline, at);
    if (end === -1) return false;
    if (decodeLine(bytes.toString("utf8", at, end)) !== undefined) return true;
    at = end + 1;
  }
  return false;
}

/**
 * Reads a log. A damaged end is what kill -9 or a power cut leaves of a write that was never acknowledged, and is left
 * out; damage before an intact line is an error, as is a file that some other program wrote.
 */
export function readLog(path: string): LogContents {
  const bytes = readBytes(path);
  let goodBytes = 0;
  const intern = createIntern();
  function* entries(): Generator<LogEntry> {
    for (let at = 0, line = 1; at < bytes.length; line += 1) {
      const end = bytes.indexOf(newline, at);
      const value = end === -1 ? undefined : decodeLine(bytes.toString("utf8", at, end));
      if (value === undefined) {
        if (line === 1 && (end !== -1 || !couldBeTornHeader(bytes))) throw corrupt(path, "no emulator wrote it");
        if (end !== -1 && hasIntactLine(bytes, end + 1)) throw corrupt(path, `line ${line} is damaged`);
        return;
      }
      if (line === 1 && !isHeader(value)) throw corrupt(path, "unknown format or version");
      const entry = line === 1 ? undefined : readEntry(value, intern);
      if (line > 1 && !entry) throw corrupt(path, `line ${line} holds no changes`);
      at = end + 1;
      goodBytes = at;
      if (entry) yield entry;
    }
  }
  return { entries: entries(), goodBytes: () => goodBytes };
}

/** The very first write can be torn, too: then the file is a short piece without a newline that starts like a checksum. */
const couldBeTornHeader = (bytes: Buffer): boolean =>
  bytes.length < 256 && /^[0-9a-f]{0,16}($| )/.test(bytes.toString("utf8"));
