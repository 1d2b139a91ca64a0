/**
 * Removes the socket files of plugins that were killed: nothing else would, and after years of crashes a folder is full of them.
 *
 * Only what certainly is one: named as ours are, a socket of our own user, older than a minute, whose process is not there any
 * more, and on which no process listens.
 */
import { lstat, readdir, unlink } from "node:fs/promises";
import { connect } from "node:net";
import path from "node:path";

/** As `bindFreshPath` makes them; go-plugin's own have no dash. */
const ownName = /^plugin([1-9]\d{0,9})-[a-z0-9]{1,10}$/;

/** A start shall not be busy with it for long. */
const maxLookedAt = 500;
/** A socket is bound a moment before its process listens. */
const minAgeMs = 60_000;
const connectLimitMs = 1_000;

export interface DeadSocketsOptions {
  readonly now: () => number;
  /** Whether a process of this number is there, as far as we can see. */
  readonly isAlive?: (pid: number) => boolean;
}

/** @returns names of the files that were removed. Never rejects */
export async function removeDeadSockets(
  dir: string,
  { now, isAlive = isProcessAlive }: DeadSocketsOptions,
): Promise<readonly string[]> {
  const names = await readdir(dir).catch(() => []);
  const removed: string[] = [];
  for (const name of names.filter((one) => ownName.test(one)).slice(0, maxLookedAt)) {
    const file = path.join(dir, name);
    const pid = Number(ownName.exec(name)?.[1]);
    if (isAlive(pid) || !(await isOldSocketOfOurs(file, now())) || !(await isRefused(file))) continue;
    const isRemoved = await unlink(file).then(
      () => true,
      () => false,
    );
    if (isRemoved) removed.push(name);
  }
  return removed;
}

async function isOldSocketOfOurs(file: string, now: number): Promise<boolean> {
  const stats = await lstat(file).catch(() => undefined);
  return stats?.isSocket() === true && stats.uid === process.getuid?.() && now - stats.mtimeMs >= minAgeMs;
}

/** Whether no process listens. A process in another container has a number that we cannot see, but its socket answers. */
function isRefused(file: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(file);
    const done = (refused: boolean) => {
      socket.destroy();
      resolve(refused);
    };
    socket.setTimeout(connectLimitMs, () => done(false));
    socket.once("connect", () => done(false));
    socket.once("error", (error) => done("code" in error && error.code === "ECONNREFUSED"));
  });
}

function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !(error instanceof Error && "code" in error && error.code === "ESRCH");
  }
}
