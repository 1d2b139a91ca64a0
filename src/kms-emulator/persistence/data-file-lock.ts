/** Keeps a second emulator away from a data file that one already uses. */
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { EmulatorError } from "../errors.ts";

/**
 * A lock file beside the data file, naming the process that holds it. It outlives a kill -9, so a lock is stale when its
 * process has ended, or (Linux) when the process id now belongs to a process started at another time.
 */
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A killed process that no parent has waited for still answers to signal 0.
    return state === "Z" || state === "X" ? "ended" : (rest[18] ?? "");
  } catch {
    return "";
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Locks held by this very process: two emulators in one process must not share a file either. */
const heldHere = new Set<string>();

function isHeld(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  const [pidText = "", startTime = ""] = text.trim().split(" ");
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0) return undefined;
  if (pid === process.pid) return heldHere.has(path) ? pid : undefined;
  return isRunning(pid) && startTimeOf(pid) === startTime ? pid : undefined;
}

const locked = (dataFile: string, holder: number): EmulatorError =>
  new EmulatorError("DATA_FILE_LOCKED", `data file ${dataFile} is in use by process ${holder}`);

/** False if the lock file exists. */
function create(path: string): boolean {
  try {
    writeFileSync(path, `${process.pid} ${startTimeOf(process.pid)}\n`, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Moves a stale lock out of the way. One that another process has taken meanwhile is put back. */
function removeStale(dataFile: string, path: string): void {
  const aside = `${path}.${process.pid}`;
  renameSync(path, aside);
  const holder = isHeld(aside);
  if (holder !== undefined) {
    renameSync(aside, path);
    throw locked(dataFile, holder);
  }
  rmSync(aside, { force: true });
}

/** Takes the lock and returns the function that gives it back. Throws EmulatorError DATA_FILE_LOCKED. */
export function lockDataFile(dataFile: string): () => void {
  const path = `${dataFile}.lock`;
  try {
    while (!create(path)) {
      const holder = isHeld(path);
      if (holder !== undefined) throw locked(dataFile, holder);
      removeStale(dataFile, path);
    }
  } catch (cause) {
    if (cause instanceof EmulatorError) throw cause;
    const reason = (cause as Error).message;
    throw new EmulatorError("DATA_FILE_UNWRITABLE", `cannot lock data file ${dataFile}: ${reason}`, { cause });
  }
  heldHere.add(path);
  return () => {
    heldHere.delete(path);
    rmSync(path, { force: true });
  };
}
