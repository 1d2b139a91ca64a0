/**
 * The server's identity: a UUID kept in `key_identifier_file`, made on first use.
 *
 * Losing the file means new keys, so it is written whole or not at all (temporary file, fsync, link) and never overwritten.
 */
import { randomBytes } from "node:crypto";
import { type FileHandle, link, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { Clock } from "../../key-manager/ports.ts";
import { PreparedInVain } from "../../key-manager/setup.ts";
import { errnoOf, fileProblem, type SettingFile, type SettingFiles, systemProblem } from "../settings/setting-files.ts";

/** More than any form of a UUID, line breaks and a byte order mark included. */
const maxBytes = 1_024;

const fileOf = (path: string, setting: string): SettingFile => ({
  setting,
  path,
  maxBytes,
  advice: `${setting} must name a file in an existing folder that the SPIRE Server's user can read and write`,
});

/**
 * Reads a UUID in every form that SPIRE's built-in plugin reads: with or without dashes, in braces, as a URN, of any version.
 *
 * @returns the canonical form, which stands in aliases; undefined for anything else
 */
export function parseUuid(text: string): string | undefined {
  const inner = /^(?:urn:uuid:(.*)|\{(.*)\}|(.*))$/i.exec(text);
  const body = inner?.[1] ?? inner?.[2] ?? inner?.[3] ?? "";
  const parts =
    /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/i.exec(body) ??
    /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/i.exec(body);
  return parts?.slice(1).join("-").toLowerCase();
}

/**
 * Reads the server id.
 *
 * @param setting the configuration key that named the file, for messages
 * @returns the id in its canonical form, or undefined when there is no such file in a folder that exists
 * @throws KeyManagerError `FAILED_PRECONDITION` when the file cannot be read or holds no UUID
 */
export async function readServerId(path: string, setting: string, files: SettingFiles): Promise<string | undefined> {
  const file = fileOf(path, setting);
  const text = await files.read(file);
  if (text === undefined) return undefined;
  const serverId = parseUuid(text.trim());
  if (serverId !== undefined) return serverId;
  const what = text.trim() === "" ? "it is empty and holds no UUID" : "it holds no UUID";
  // Never to be removed: it may be what is left of the identity of a certificate authority.
  const advice = `restore the server's own file, or let ${setting} name a new one to begin anew with new keys`;
  throw fileProblem({ ...file, advice }, "used", what);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function fill(file: FileHandle, serverId: string): Promise<void> {
  try {
    await file.writeFile(serverId);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** How a file is created under a name that must not exist. */
interface Creation {
  readonly link: typeof link;
  readonly open: typeof open;
}

/** Gives the finished file its name without ever replacing one that another process made meanwhile. */
async function publish(temporary: string, path: string, serverId: string, creation: Creation): Promise<void> {
  try {
    await creation.link(temporary, path);
  } catch (error) {
    // Some file systems know no hard links. A crash within this moment leaves an empty file, which no server has used.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(errnoOf(error))) throw error;
    const own = await creation.open(path, "wx", 0o600);
    await fill(own, serverId).catch(async (cause: unknown) => {
      await unlink(path).catch(() => undefined);
      throw cause;
    });
  }
}

async function create(path: string, serverId: string, creation: Creation): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await fill(await open(temporary, "wx", 0o600), serverId);
    await publish(temporary, path, serverId, creation);
    await syncFolder(path);
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}

const waitMs = 100;
const maxWaits = 20;

/** Waits until the id that another server writes at this moment is whole. */
async function untilWritten(path: string, setting: string, files: SettingFiles, clock: Clock): Promise<void> {
  for (let waits = 0; waits < maxWaits; waits++) {
    if ((await readServerId(path, setting, files).catch(() => undefined)) !== undefined) return;
    await clock.sleep(waitMs);
  }
}

export interface ServerIdFileOptions {
  readonly files: SettingFiles;
  readonly clock: Clock;
  readonly creation?: Creation;
}

/**
 * Keeps a new server id: mode 0600, fsynced, under its final name only when complete.
 *
 * @throws PreparedInVain when another server has made the file meanwhile: its id is to be used
 * @throws KeyManagerError `FAILED_PRECONDITION` when the file cannot be made
 */
export async function createServerIdFile(
  path: string,
  setting: string,
  serverId: string,
  { files, clock, creation = { link, open } }: ServerIdFileOptions,
): Promise<void> {
  const file = fileOf(path, setting);
  try {
    await files.inTime(file, "made", () => create(path, serverId, creation));
  } catch (cause) {
    if (errnoOf(cause) !== "EEXIST") throw systemProblem(file, "made", cause);
    await untilWritten(path, setting, files, clock);
    throw new PreparedInVain(`${setting} ${path} was made by another process meanwhile; configure again to use its id`);
  }
}
