/**
 * The server's identity: a UUID v4 kept in `key_identifier_file`, made on first use.
 *
 * Losing the file means new keys, so it is written whole or not at all (temporary file, fsync, link) and never overwritten.
 */
import { randomBytes } from "node:crypto";
import { link, open, readFile, rename, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { KeyManagerError } from "../../key-manager/errors.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const errnoOf = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : String(error);

const unusable = (what: string, setting: string, path: string, cause: unknown) =>
  new KeyManagerError(
    "FAILED_PRECONDITION",
    `cannot ${what} the server id file ${path}: ${errnoOf(cause)}; ${setting} must name a file in an existing folder that the SPIRE Server's user can read and write`,
    { cause },
  );

/**
 * Reads the server id.
 *
 * @param setting the configuration key that named the file, for messages
 * @returns the id in lower case, or undefined when there is no such file
 * @throws KeyManagerError `FailedPrecondition` when the file cannot be read or holds no UUID
 */
export async function readServerId(path: string, setting: string): Promise<string | undefined> {
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (cause) {
    if (errnoOf(cause) === "ENOENT") return undefined;
    throw unusable("read", setting, path, cause);
  }
  const text = content.trim();
  if (!uuid.test(text)) {
    throw new KeyManagerError(
      "FAILED_PRECONDITION",
      `the server id file ${path} (${setting}) holds no UUID; restore the server's own file, or remove this one to begin anew with new keys`,
    );
  }
  return text.toLowerCase();
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Gives the finished file its name without ever replacing one that somebody else made meanwhile. */
async function publish(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    // Some file systems know no hard links; there the rename is still whole-or-nothing.
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(errnoOf(error))) throw error;
    await rename(temporary, path);
  }
}

/**
 * Keeps a new server id: mode 0600, fsynced, under its final name only when complete.
 *
 * @throws KeyManagerError `FailedPrecondition` when the file cannot be made, or exists by now
 */
export async function createServerIdFile(path: string, setting: string, serverId: string): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.writeFile(serverId);
      await file.sync();
    } finally {
      await file.close();
    }
    await publish(temporary, path);
    await syncFolder(path);
  } catch (cause) {
    throw unusable("create", setting, path, cause);
  } finally {
    await unlink(temporary).catch(() => undefined);
  }
}
