/** What SPIRE's log says where Node.js is missing or too old, read by go-plugin itself: the reason, at error. */
import assert from "node:assert/strict";
import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { dirname, join, resolve } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { nodeFromNpm } from "../node-versions/npm-node.ts";
import { buildGoHost, type GoHost, GoUnavailable, goPluginVersions, newestGoPlugin } from "./go-host.ts";

const project = resolve(import.meta.dirname, "../../..");
const plugin = join(project, "dist/bin/aws_kms");

async function hostOr(t: TestContext, goPlugin: string): Promise<GoHost | undefined> {
  try {
    return await buildGoHost({ goPlugin, race: goPlugin === newestGoPlugin });
  } catch (error) {
    if (!(error instanceof GoUnavailable)) throw error;
    t.skip(error.message);
    return undefined;
  }
}

async function withPath<T>(path: string, work: () => Promise<T>): Promise<T> {
  const before = process.env.PATH;
  process.env.PATH = path;
  try {
    return await work();
  } finally {
    process.env.PATH = before;
  }
}

async function assertReasonIsTold(host: GoHost, path: string, reason: RegExp): Promise<void> {
  const report = await withPath(path, () => host.run("-plugin", plugin, "-name", "aws_kms", "-steps", "ping"));
  const [load] = report.steps;
  assert.equal(load?.ok, false);
  const lines = report.log.filter(({ message }) => message.includes("needs Node.js"));
  assert.deepEqual(
    lines.filter(({ level, message }) => level !== "error" || !reason.test(message)),
    [],
  );
  // go-plugin may lose either of both lines when the process has ended before they were read: of stdout it has an empty one then.
  const detail = load.detail ?? "";
  if (/^[^\n]*Unrecognized remote plugin message: \n/.test(detail)) {
    assert.notEqual(lines.length, 0, `neither line has arrived: ${detail}`);
    return;
  }
  // SPIRE logs this error at error, and stops.
  assert.match(detail, /Unrecognized remote plugin message: aws_kms needs Node\.js 20\.19/);
  assert.match(detail, reason);
}

describe("a host whose PATH has no Node.js that is new enough", { timeout: 900_000 }, () => {
  for (const goPlugin of [goPluginVersions[0], newestGoPlugin]) {
    it(`none at all, under go-plugin ${goPlugin}`, async (t) => {
      const host = await hostOr(t, goPlugin);
      if (host === undefined) return;
      await assertReasonIsTold(host, "/nowhere/bin", /no node that can be started is on PATH \(\/nowhere\/bin\)/);
      await assertReasonIsTold(host, "", /no node that can be started is on PATH, which is empty/);
    });
  }

  for (const version of ["12.22.12", "18.20.8", "20.9.0", "20.15.0", "20.18.3", "21.7.3", "22.11.0"]) {
    it(`Node ${version}`, async (t) => {
      const host = await hostOr(t, newestGoPlugin);
      const node = nodeFromNpm(version, t);
      if (host === undefined || node === undefined) return;
      await assertReasonIsTold(host, dirname(node), new RegExp(`this is ${version.replaceAll(".", "\\.")} `));
    });
  }
});

describe("this checkout on a Node.js that is too old", { timeout: 900_000 }, () => {
  for (const version of ["20.9.0", "20.15.0", "21.7.3"]) {
    it(`Node ${version}: each script that people start says what it needs`, (t) => {
      const node = nodeFromNpm(version, t);
      if (node === undefined) return;
      for (const script of ["start", "build", "test", "release", "standalone/build"]) {
        const file = join(project, "scripts", `${script}.mjs`);
        const { status, stderr }: SpawnSyncReturns<string> = spawnSync(node, [file], { encoding: "utf8" });
        assert.match(stderr, /^This needs Node\.js 20\.19 or a later 20\.x, or 22\.12 or newer; this is /, script);
        assert.ok(stderr.includes(`this is ${version} (`), stderr);
        assert.equal(status, 1, script);
      }
    });
  }
});
