// go-plugin without SPIRE: the programs of its own examples, in Go, as hosts of our plugins and as plugins of our host.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import { service, startPlugin } from "../../../src/go-plugin/index.ts";
import { bundlePlugins } from "../../go-plugin/bundled-fixture.ts";
import { GoUnavailable } from "../go-host/go-host.ts";
import { buildGoExamples, type GoExamples } from "./go-examples.ts";
import { AddHelper, Counter, Kv } from "./messages.ts";

const cookie = { key: "BASIC_PLUGIN", value: "hello" };

describe("go-plugin's own examples", { timeout: 900_000 }, () => {
  let kvPlugin = "";
  let counterPlugin = "";
  before(async () => {
    [kvPlugin, counterPlugin] = await bundlePlugins(
      "test/interop/go-plugin-examples/kv-plugin.ts",
      "test/interop/go-plugin-examples/counter-plugin.ts",
    );
  });

  async function examplesOr(t: TestContext): Promise<(GoExamples & { readonly cwd: string }) | undefined> {
    try {
      const examples = await buildGoExamples();
      const cwd = mkdtempSync(path.join(tmpdir(), "go-examples-"));
      t.after(() => rmSync(cwd, { recursive: true, force: true }));
      return { ...examples, cwd };
    } catch (error) {
      if (!(error instanceof GoUnavailable)) throw error;
      t.skip(error.message);
      return undefined;
    }
  }

  /** Runs one of Go's hosts with a plugin of ours. */
  const hostWith = (host: string, cwd: string, env: Readonly<Record<string, string>>) => {
    return (...args: readonly string[]): string =>
      execFileSync(host, [...args], {
        cwd,
        env: { ...process.env, ...env },
        encoding: "utf8",
        stdio: "pipe",
        timeout: 60_000,
      }).trim();
  };

  it("Go host, our plugin: the key-value store over gRPC", async (t) => {
    const go = await examplesOr(t);
    if (go === undefined) return;
    const host = hostWith(go["kv-host"], go.cwd, { KV_PLUGIN: kvPlugin, KV_PROTO: "grpc" });
    host("put", "greeting", "hello");
    assert.equal(host("get", "greeting"), "hello\n\nWritten from TypeScript");
    assert.throws(() => host("get", "nothing"), /call failed unexpectedly: .*ENOENT/);
  });

  it("Go host, our plugin: protocol versions are negotiated", async (t) => {
    const go = await examplesOr(t);
    if (go === undefined) return;
    // This host starts what has this name.
    writeFileSync(path.join(go.cwd, "kv-plugin"), `#!/bin/sh\nexec ${kvPlugin}\n`, { mode: 0o755 });
    const host = hostWith(go.negotiated, go.cwd, { KV_PROTO: "grpc" });
    host("put", "greeting", "hello");
    assert.equal(host("get", "greeting"), "hello\n\nWritten from TypeScript");
  });

  it("Go host, our plugin: calls back through the broker", async (t) => {
    const go = await examplesOr(t);
    if (go === undefined) return;
    const host = hostWith(go["counter-host"], go.cwd, { COUNTER_PLUGIN: counterPlugin });
    host("put", "n", "40");
    host("put", "n", "2");
    assert.equal(host("get", "n"), "42");
  });

  for (const mode of ["plain", "AutoMTLS"] as const) {
    it(`our host, Go plugin: the key-value store over gRPC, ${mode}`, async (t) => {
      const go = await examplesOr(t);
      if (go === undefined) return;
      const plugin = await startPlugin({
        command: go["kv-plugin"],
        cookie,
        cwd: go.cwd,
        autoMtls: mode === "AutoMTLS",
      });
      t.after(() => plugin.kill());
      await plugin.ping();
      await plugin.client(Kv).put({ key: "greeting", value: Buffer.from("hello") });
      const { value } = await plugin.client(Kv).get({ key: "greeting" });
      assert.match(Buffer.from(value).toString(), /^hello\n\nWritten from plugin-go-grpc/);
      await assert.rejects(plugin.client(Kv).get({ key: "nothing" }), /no such file/);
      assert.equal((await plugin.shutdown()).wasKilled, false);
    });
  }

  it("our host, Go plugin: is called back through the broker", async (t) => {
    const go = await examplesOr(t);
    if (go === undefined) return;
    const sums: bigint[] = [];
    const adder = service(AddHelper, {
      sum({ a, b }) {
        sums.push(a + b);
        return { r: a + b };
      },
    });
    const plugin = await startPlugin({ command: go["counter-plugin"], cookie, cwd: go.cwd, hostServices: [adder] });
    t.after(() => plugin.kill());
    // The host announces its services under this id.
    await plugin.client(Counter).put({ key: "n", value: 42n, addServer: 1 });
    assert.equal((await plugin.client(Counter).get({ key: "n" })).value, 42n);
    assert.deepEqual(sums, [42n]);
    assert.equal((await plugin.shutdown()).wasKilled, false);
  });
});
