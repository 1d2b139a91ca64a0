/** A place like those that SPIRE Server runs in: a folder with a host, the script form and a Node.js, for a user that no passwd file knows. */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { printHcl } from "../../src/hcl/index.ts";
import { strangeUser } from "./roots.ts";

const bin = resolve(import.meta.dirname, "../../dist/bin");

export interface ServerSite {
  readonly folder: string;
  /** The host's arguments; `name` is the plugin's. */
  hostArguments(name: string): readonly string[];
}

/**
 * @param folder an empty one; what lies in it may be read by everybody, and `state` written by the stranger
 * @param at where the folder will be seen by those who run in it
 */
export function layOut(folder: string, { host, node, at = folder }: SiteOptions): ServerSite {
  chmodSync(folder, 0o755);
  for (const path of ["bin", "plugins", "state"]) mkdirSync(join(folder, path), { mode: 0o755 });
  copyFileSync(node, join(folder, "bin/node"));
  copyFileSync(host, join(folder, "bin/spire-server"));
  for (const name of ["aws_kms", "kms"]) {
    copyFileSync(join(bin, name), join(folder, "plugins", name));
    writeFileSync(join(folder, `${name}.hcl`), settings(name, at));
  }
  chownSync(join(folder, "state"), strangeUser, strangeUser);
  return {
    folder,
    hostArguments: (name) => [
      ...[join(at, "bin/spire-server"), "-plugin", join(at, "plugins", name), "-name", name],
      ...["-data-file", join(at, `${name}.hcl`), "-key-types", "EC_P256,RSA_2048"],
      ...["-steps", "ping,init,validate,configure,generate,sign,shutdown"],
    ],
  };
}

export interface SiteOptions {
  readonly host: string;
  readonly node: string;
  readonly at?: string;
}

const settings = (name: string, at: string) =>
  printHcl({
    region: "us-east-2",
    access_key_id: "AKIAENVIRONMENTTEST1",
    secret_access_key: "secret",
    ...(name === "kms" ? { key_prefix: "SITE/" } : { key_identifier_file: join(at, "state/aws_kms_id") }),
  });

/** As runit, s6 and the like start a service: another user, nothing of its environment but what is given. */
export const asStranger = (
  environment: Readonly<Record<string, string>>,
  privileges: readonly string[] = [],
): readonly string[] => [
  ...["setpriv", "--reuid", String(strangeUser), "--regid", String(strangeUser), "--clear-groups", ...privileges],
  ...["env", "-i", ...Object.entries(environment).map(([name, value]) => `${name}=${value}`)],
];

/** Runs what follows with at most that many open files. */
export const withOpenFiles = (count: number): readonly string[] => [
  ...["/bin/sh", "-ec", 'ulimit -n "$0"; exec "$@"', String(count)],
];

/**
 * Runs what follows as systemd does with ProtectSystem=strict, ProtectHome=yes, PrivateTmp=yes and a StateDirectory: in a
 * mount namespace that ends with it, the folder is at `at`, all of it read-only but `state`, and so is the root.
 */
export const hardened = (folder: string, at: string): readonly string[] => [
  ...["unshare", "--mount", "--propagation", "private", "/bin/sh", "-ec"],
  `folder=$0; at=$1; shift
  mount --bind "$folder" "$at"; mount -o remount,bind,ro "$at"; mount --bind "$folder/state" "$at/state"
  for home in /root /home /run/user; do if [ -d $home ]; then mount -t tmpfs -o ro tmpfs $home; fi; done
  mount -t tmpfs -o mode=1777 tmpfs /tmp; mount -o remount,bind,ro /
  for path in /etc "$at" "$at/plugins" /root; do if touch "$path/x" 2>/dev/null; then echo "$path can be written" >&2; exit 1; fi; done
  exec "$@"`,
  folder,
  at,
];

/** The kernel's PR_SET_MDWE, which is what systemd's MemoryDenyWriteExecute=yes asks for where there is one (Linux 6.3). */
const denyWriteExecute = `
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).prctl(65, 1, 0, 0, 0) != 0:
    sys.exit("PR_SET_MDWE: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[1], sys.argv[1:])`;

export const withoutExecutableMemory: readonly string[] = ["python3", "-c", denyWriteExecute];

/** Why a launcher cannot be used here; undefined when it can. */
export function hindranceOf(launcher: readonly string[]): string | undefined {
  const [command = "", ...args] = [...launcher, "true"];
  try {
    execFileSync(command, args, { encoding: "utf8", stdio: "pipe" });
    return undefined;
  } catch (error) {
    const { stderr = "", message } = error as Error & { stderr?: string };
    return `${launcher.slice(0, 1)} cannot do it here: ${(stderr.trim() || message).split("\n")[0]}`;
  }
}
