/** From the name of a group to its number, which Node cannot look up. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { GoPluginError } from "../errors.ts";

/**
 * The number of a group given by name or number: `/etc/group` first, then `getent`, which also asks network directories.
 *
 * @throws GoPluginError `SOCKET_GROUP` when there is no such group
 */
export function findGroupId(group: string): number {
  if (/^\d{1,10}$/.test(group)) return Number(group);
  // A name of any other shape is never looked up: it could not be told from an option of getent.
  const entry = /^[A-Za-z0-9_][^:\s]*$/.test(group) ? (entryFromFile(group) ?? entryFromDirectory(group)) : undefined;
  const id = entry?.split(":")[2];
  if (id !== undefined && /^\d{1,10}$/.test(id)) return Number(id);
  throw new GoPluginError("SOCKET_GROUP", `unknown group "${group}" in PLUGIN_UNIX_SOCKET_GROUP`);
}

function entryFromFile(group: string): string | undefined {
  try {
    return findEntry(readFileSync("/etc/group", "utf8"), group);
  } catch {
    return undefined;
  }
}

function entryFromDirectory(group: string): string | undefined {
  const { stdout } = spawnSync("/usr/bin/getent", ["group", group], {
    encoding: "utf8",
    timeout: 5000,
    stdio: ["ignore", "pipe", "ignore"],
  });
  return typeof stdout === "string" ? findEntry(stdout, group) : undefined;
}

function findEntry(text: string, group: string): string | undefined {
  return text.split("\n").find((line) => line.startsWith(`${group}:`));
}
