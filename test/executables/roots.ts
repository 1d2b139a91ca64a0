/** Roots for chroot, each in a folder of its own that is removed; nothing is mounted that others see. */
import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, copyFileSync, cpSync, mkdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Root {
  readonly folder: string;
  /** Puts a file or folder at an absolute path of the root. */
  put(from: string, to: string): void;
}

/** A user that no passwd file knows. */
export const strangeUser = 54_321;

/** An empty root with what every container runtime gives: /dev/null, and a /tmp for everybody. */
export function emptyRoot(folder: string): Root {
  for (const path of ["dev", "tmp", "etc"]) mkdirSync(join(folder, path), { recursive: true });
  execFileSync("mknod", ["-m", "666", join(folder, "dev/null"), "c", "1", "3"]);
  chmodSync(join(folder, "tmp"), 0o1777);
  chmodSync(folder, 0o755);
  return {
    folder,
    put(from, to) {
      mkdirSync(dirname(join(folder, to)), { recursive: true });
      cpSync(from, join(folder, to), { recursive: true });
    },
  };
}

/** As SPIRE's official image, which is FROM scratch: spire-server (here a host that loads plugins), certificates, folders. */
export function officialImage(folder: string, host: string): Root {
  const root = emptyRoot(folder);
  root.put(host, "/opt/spire/bin/spire-server");
  root.put(realpathSync("/etc/ssl/certs/ca-certificates.crt"), "/etc/ssl/certs/ca-certificates.crt");
  for (const path of ["etc/spire/server", "run/spire/server/private", "var/lib/spire/server"]) {
    mkdirSync(join(folder, path), { recursive: true });
    chownSync(join(folder, path), strangeUser, strangeUser);
  }
  return root;
}

/** As a distroless image: libc and libstdc++ where a distribution has them, no shell. */
export function distrolessImage(folder: string, host: string, executable: string): Root {
  const root = officialImage(folder, host);
  const lines = execFileSync("ldd", [executable], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g);
  for (const [, path = ""] of lines) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    copyFileSync(realpathSync(path), join(folder, path));
  }
  return root;
}
