/** What the executables say where Node.js is missing or too old: what an operator sees in SPIRE's log, and on a terminal. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { startRaw } from "../go-plugin/raw-plugin.ts";

const bin = fileURLToPath(new URL("../../dist/bin", import.meta.url));
const cookie = { KeyManager: "KeyManager" };
const needs = /needs Node\.js 20\.19 or a later 20\.x, or 22\.12 or newer; /;

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "aws-kms-node-"));
});
after(() => rm(folder, { recursive: true, force: true }));

async function outcomeOf(name: string, env: Record<string, string | undefined>) {
  const plugin = startRaw(join(bin, name), env);
  const { code, signal } = await plugin.exited;
  return { code, signal, stdout: plugin.stdout(), stderr: plugin.stderr() };
}

/** The line of stderr that go-plugin takes for a log line. */
const logLine = (stderr: string): Record<string, unknown> =>
  JSON.parse(stderr.split("\n").find((line) => line.startsWith("{")) ?? "null");

describe("an executable without the Node.js that it needs", () => {
  for (const [title, path, place] of [
    ["no node on PATH", "/nowhere/bin:/nowhere else", "is on PATH. "],
    ["an empty PATH", "", "is on PATH, which is empty. "],
    ["a PATH that can be shown", "/nowhere/bin", "is on PATH (/nowhere/bin). "],
  ] as const) {
    for (const name of ["aws_kms", "kms"]) {
      it(`${name} tells its host of ${title}`, async () => {
        const { code, stdout, stderr } = await outcomeOf(name, { ...cookie, PATH: path });
        assert.equal(code, 127);
        assert.match(stdout, needs);
        assert.ok(stdout.includes(`no node that can be started ${place}`), stdout);
        assert.ok(stdout.split("|").length < 4, "no host takes it for a handshake");
        const message = stdout.trimEnd();
        assert.deepEqual(logLine(stderr), { "@level": "error", "@module": name, "@message": message });
      });
    }
  }

  it("tells of a node that cannot be executed", async () => {
    const path = join(folder, "broken");
    await mkdir(path);
    await writeFile(join(path, "node"), "\x7fELF, but not one that any kernel takes\n\0");
    await chmod(join(path, "node"), 0o755);
    const { code, stdout } = await outcomeOf("aws_kms", { ...cookie, PATH: path });
    assert.notEqual(code, 0);
    assert.match(stdout, needs);
  });

  it("tells a terminal in one plain sentence", async () => {
    const { code, stdout, stderr } = await outcomeOf("spire-aws-kms", { KeyManager: undefined, PATH: "/nowhere" });
    assert.equal(code, 127);
    assert.equal(stdout, "");
    assert.match(stderr, /^spire-aws-kms needs Node\.js .*docs\/install\.md\)\.$/m);
    assert.doesNotMatch(stderr, /@level/);
  });
});

describe("an executable on a Node.js below the floor", () => {
  const tooOld = ["12.22.12", "18.20.8", "20.18.3", "21.7.3", "22.11.0"];
  const newEnough = ["20.19.0", "20.20.2", "22.12.0", "23.0.0", "24.0.0", "100.0.0"];

  /** A Node.js that takes itself for another one. */
  async function pretending(version: string): Promise<Record<string, string>> {
    const file = join(folder, `${version}.cjs`);
    await writeFile(file, `Object.defineProperty(process.versions, "node", { value: "${version}" });`);
    return { NODE_OPTIONS: `--require=${file}` };
  }

  for (const version of tooOld) {
    it(`${version}: says what it needs, to a host and to a terminal`, async () => {
      const hosted = await outcomeOf("aws_kms", { ...cookie, ...(await pretending(version)) });
      assert.equal(hosted.code, 1);
      assert.match(hosted.stdout, needs);
      assert.ok(hosted.stdout.includes(`this is ${version} (${process.execPath})`), hosted.stdout);
      const message = hosted.stdout.trimEnd();
      assert.deepEqual(logLine(hosted.stderr), { "@level": "error", "@module": "aws_kms", "@message": message });
      const plain = await outcomeOf("spire-aws-kms", await pretending(version));
      assert.deepEqual([plain.code, plain.stdout], [1, ""]);
      assert.match(plain.stderr, /^spire-aws-kms needs Node\.js .*\n$/);
    });
  }

  it("and from the floor on it runs", async () => {
    for (const version of newEnough) {
      const plugin = startRaw(join(bin, "aws_kms"), { ...cookie, ...(await pretending(version)) });
      assert.match(await plugin.handshake, /^1\|1\|unix\|/, version);
      plugin.child.kill("SIGTERM");
      await plugin.exited;
    }
  });

  it("and the checkout's scripts say it too, before anything fails", async () => {
    for (const script of ["start", "build", "test", "release", "standalone/build"]) {
      const file = fileURLToPath(new URL(`../../scripts/${script}.mjs`, import.meta.url));
      const { status, stderr } = spawnSync(process.execPath, [file], {
        encoding: "utf8",
        env: { ...process.env, ...(await pretending("20.15.1")) },
      });
      assert.match(
        stderr,
        /^This needs Node\.js 20\.19 or a later 20\.x, or 22\.12 or newer; this is 20\.15\.1 \(/,
        script,
      );
      assert.equal(status, 1, script);
    }
  });
});
