/**
 * The forms of the plugin where SPIRE Server runs: roots with nothing else in them, users without name and home, few
 * descriptors, nothing that can be written. Each is loaded by go-plugin's own host and signs.
 *
 * `STANDALONE_BUILT=dist/standalone` takes what is built already, which saves minutes.
 */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { printHcl } from "../../src/hcl/index.ts";
import type { Emulator } from "../../src/kms-emulator/index.ts";
import { sha256OfFile } from "../../src/plugin-sdk/index.ts";
import { startTestEmulator } from "../fixtures/test-emulator.ts";
import {
  buildGoHost,
  failedSteps,
  type GoHost,
  GoUnavailable,
  newestGoPlugin,
  runHost,
} from "../interop/go-host/go-host.ts";
import { distrolessImage, officialImage, strangeUser } from "./roots.ts";

const project = resolve(import.meta.dirname, "../..");
const steps = "ping,init,validate,configure,generate,sign,shutdown";
const minutes = 60_000;

let emulator: Emulator;
let folder: string;
let built: string;
let scratch: string;
let hindrance: string | undefined;
let host: GoHost | undefined;

const script = (...args: readonly string[]) =>
  execFileSync(process.execPath, [...args], { cwd: project, encoding: "utf8", stdio: "pipe", timeout: 20 * minutes });

/** Why this machine cannot try it; undefined when it can. */
function missingHere(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "made for Linux on x64";
  if (process.getuid?.() !== 0) return "chroot needs root";
  for (const [tool, ...args] of [
    ["patchelf", "--version"],
    ["chroot", "--version"],
    ["setpriv", "--version"],
    ["unshare", "--version"],
  ] as const) {
    try {
      execFileSync(tool, args, { stdio: "ignore" });
    } catch {
      return `${tool} is not installed`;
    }
  }
  return undefined;
}

before(
  async () => {
    hindrance = missingHere();
    if (hindrance !== undefined) return;
    folder = await mkdtemp(join(tmpdir(), "standalone-test-"));
    built = process.env.STANDALONE_BUILT ?? join(folder, "built");
    scratch = join(folder, "scratch");
    try {
      host = await buildGoHost({ goPlugin: newestGoPlugin });
      if (process.env.STANDALONE_BUILT === undefined)
        script("scripts/standalone/build.mjs", "--arch", "x64", "--out", built);
    } catch (error) {
      hindrance = error instanceof GoUnavailable ? error.message : `it cannot be built: ${String(error).slice(0, 300)}`;
      // Without the npm registry there is no Node.js to build it from; everything else is a failure.
      if (!(error instanceof GoUnavailable || /registry|ENOTFOUND|EAI_AGAIN|ECONNREFUSED/.test(String(error))))
        throw error;
      return;
    }
    script("scripts/standalone/scratch.mjs", "--from", join(built, "linux-x64"), "--out", scratch);
    emulator = await startTestEmulator({ region: "us-east-2" });
  },
  { timeout: 30 * minutes },
);
after(async () => {
  await emulator?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

const settings = (name: string) =>
  printHcl({
    region: "us-east-2",
    access_key_id: "AKIASTANDALONETEST01",
    secret_access_key: "secret",
    ...(name === "kms" ? { key_prefix: "STANDALONE/" } : { key_identifier_value: "standalone" }),
  });

interface Place {
  /** The root, made in the folder that it is given. */
  make(folder: string, binary: string): { put(from: string, to: string): void };
  /** Runs what follows in the root. */
  command(root: string): readonly string[];
}

/** No PATH, no HOME, no name: only what leads to the embedded KMS. */
const bare = () => ["env", "-i", `AWS_ENDPOINT_URL=${emulator.endpoint}`];
const chroot = "/usr/sbin/chroot";
const asStranger = [chroot, `--userspec=${strangeUser}:${strangeUser}`, "--groups="];

async function assertSigns(t: TestContext, name: string, place: Place): Promise<void> {
  if (hindrance !== undefined || host === undefined) return t.skip(hindrance);
  const root = await mkdtemp(join(folder, "root-"));
  const image = place.make(root, host.binary);
  const data = join(folder, `${name}.hcl`);
  await writeFile(data, settings(name));
  image.put(data, "/etc/spire/server/data.hcl");
  const [command = "", ...args] = [...bare(), ...place.command(root)];
  const report = await runHost(command, [
    ...args,
    ...["/opt/spire/bin/spire-server", "-plugin", `/opt/spire-aws-kms/${name}`, "-name", name],
    ...["-data-file", "/etc/spire/server/data.hcl", "-key-types", "EC_P256,RSA_2048", "-steps", steps],
  ]);
  assert.deepEqual(failedSteps(report), []);
  assert.equal(report.steps.find(({ step }) => step === "sign")?.ok, true);
  // The socket's folder is removed; a host's own has no hyphen in its name.
  assert.deepEqual(
    readdirSync(join(root, "tmp")).filter((entry) => !/^plugin\d+$/.test(entry)),
    [],
  );
}

const official = (root: string, binary: string) => {
  const image = officialImage(root, binary);
  image.put(join(scratch, "opt/spire-aws-kms"), "/opt/spire-aws-kms");
  return image;
};

/** In a mount namespace of its own, which ends with the process, the root is read-only and /tmp a fresh file system. */
const readOnly = (root: string): string[] => [
  "/usr/bin/unshare",
  "--mount",
  "/bin/sh",
  "-ec",
  'r=$1; shift; /bin/mount --bind "$r" "$r"; /bin/mount -o remount,ro,bind "$r"; /bin/mount -t tmpfs tmpfs "$r/tmp"; ! /bin/touch "$r/opt/x" 2>/dev/null; ulimit -n 64; exec "$@"',
  "sh",
  root,
];

describe("standalone executables", { timeout: 60 * minutes }, () => {
  it("two builds in two folders give the same checksums", async (t) => {
    if (hindrance !== undefined) return t.skip(hindrance);
    const again = join(folder, "again");
    script("scripts/standalone/build.mjs", "--arch", "x64", "--out", again);
    for (const name of readdirSync(join(built, "linux-x64"))) {
      const [one, two] = await Promise.all([built, again].map((out) => sha256OfFile(join(out, "linux-x64", name))));
      assert.equal(one, two, name);
    }
    await rm(again, { recursive: true });
  });

  it("no NODE_OPTIONS brings code into them that the checksum does not cover", async (t) => {
    if (hindrance !== undefined) return t.skip(hindrance);
    const trap = join(folder, "trap.cjs");
    await writeFile(trap, "console.log('from outside the checksum');");
    const env = { NODE_OPTIONS: `--require=${trap}` };
    const output = execFileSync(join(built, "linux-x64/aws_kms"), ["--version"], { encoding: "utf8", env });
    assert.match(output, /^aws_kms \d+\.\d+\.\d+\n$/);
  });

  for (const name of ["aws_kms", "kms"]) {
    it(`${name} in a root like SPIRE's official image, as a user without name and home`, (t) =>
      assertSigns(t, name, { make: official, command: (root) => [...asStranger, root] }));
  }

  it("the same with a read-only root, 64 descriptors and no new privileges", (t) =>
    assertSigns(t, "aws_kms", {
      make: official,
      command: (root) => [...readOnly(root), "/usr/bin/setpriv", "--no-new-privs", ...asStranger, root],
    }));

  it("aws_kms as it is built, in a distroless root", (t) =>
    assertSigns(t, "aws_kms", {
      make: (root, binary) => {
        const image = distrolessImage(root, binary, join(built, "linux-x64/aws_kms"));
        image.put(join(built, "linux-x64/aws_kms"), "/opt/spire-aws-kms/aws_kms");
        return image;
      },
      command: (root) => [...asStranger, root],
    }));

  it("docs/install.md's own commands lead to a plugin that signs in such a root", async (t) => {
    if (hindrance !== undefined) return t.skip(hindrance);
    const page = await readFile(join(project, "docs/install.md"), "utf8");
    const [, commands = ""] = /^## In a root with nothing in it$.*?^```sh$(.*?)^```$/ms.exec(page) ?? [];
    assert.match(commands, /^npm ci$.*^sha256sum /ms);
    let checksum = "";
    await assertSigns(t, "aws_kms", {
      make: (root, binary) => {
        const image = officialImage(root, binary);
        // What is installed stays: the other test files run on it at the same time.
        const text = commands.replace("npm ci\n", "");
        const options = { cwd: project, encoding: "utf8", env: { ...process.env, ROOT: root }, stdio: "pipe" } as const;
        const output = execFileSync("/bin/sh", ["-euc", text], { ...options, timeout: 20 * minutes });
        [checksum = ""] = output.trim().split("\n").at(-1)?.split(" ") ?? [];
        return image;
      },
      command: (root) => [...asStranger, root],
    });
    assert.match(checksum, /^[0-9a-f]{64}$/);
  });

  it("the command line demonstrates all of it in an empty root", async (t) => {
    if (hindrance !== undefined || host === undefined) return t.skip(hindrance);
    const root = await mkdtemp(join(folder, "root-"));
    official(root, host.binary);
    const [command = "", ...args] = ["env", "-i", ...asStranger, root, "/opt/spire-aws-kms/spire-aws-kms", "demo"];
    assert.match(execFileSync(command, args, { encoding: "utf8" }), /\ndemo: \d+ checks passed\n$/);
    assert.deepEqual(readdirSync(join(root, "tmp")), []);
  });

  it("has nothing but its folder to read from: no other library is asked for", (t) => {
    if (hindrance !== undefined) return t.skip(hindrance);
    const file = join(scratch, "opt/spire-aws-kms/aws_kms");
    const needed = execFileSync("patchelf", ["--print-needed", file], { encoding: "utf8" }).trim().split("\n");
    for (const library of needed) assert.ok(existsSync(join(scratch, "opt/spire-aws-kms/lib", library)), library);
    assert.equal(
      execFileSync("patchelf", ["--print-rpath", file], { encoding: "utf8" }).trim(),
      "/opt/spire-aws-kms/lib",
    );
  });
});
