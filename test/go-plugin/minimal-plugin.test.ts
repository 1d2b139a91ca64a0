// The example plugin, as it stands, bundled and started as SPIRE starts it; and what a person sees who starts it by hand.
import assert from "node:assert/strict";
import { createHash, createPublicKey, verify } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import {
  Config,
  GrpcStatusError,
  Init,
  KeyManager,
  KeyType,
  sha256OfFile,
  startPlugin,
  WorkloadAttestor,
} from "../../src/plugin-sdk/index.ts";
import { bundlePlugins } from "./bundled-fixture.ts";
import { startRaw } from "./raw-plugin.ts";

let minimal: string;
before(async () => {
  [minimal] = await bundlePlugins("examples/minimal-plugin/minimal-plugin.ts");
});

describe("the minimal plugin", () => {
  it("lives a whole life under a host", async () => {
    const host = await startPlugin({
      command: minimal,
      checksum: await sha256OfFile(minimal),
      cookie: { key: "KeyManager", value: "KeyManager" },
    });
    const { pluginServiceNames } = await host
      .client(Init)
      .init({ hostServiceNames: ["spire.hostservice.common.metrics.v1.Metrics"] });
    assert.deepEqual(pluginServiceNames, [
      "spire.plugin.server.keymanager.v1.KeyManager",
      "spire.service.common.config.v1.Config",
    ]);

    const keys = host.client(KeyManager);
    await assert.rejects(
      keys.getPublicKey({ keyId: "a" }),
      (error) => error instanceof GrpcStatusError && error.code === "FAILED_PRECONDITION",
    );
    const coreConfiguration = { trustDomain: "example.org" };
    await host.client(Config).configure({ coreConfiguration, hclConfiguration: "" });
    assert.equal((await host.client(Config).validate({ coreConfiguration, hclConfiguration: "x = 1" })).valid, false);

    const { publicKey } = await keys.generateKey({ keyId: "x509-CA-A", keyType: KeyType.EC_P256 });
    const text = Buffer.from("to be signed");
    const data = createHash("sha256").update(text).digest();
    const { signature, keyFingerprint } = await keys.signData({
      keyId: "x509-CA-A",
      data,
      signerOpts: { case: "hashAlgorithm", value: 5 },
    });
    const key = createPublicKey({ key: Buffer.from(publicKey?.pkixData ?? []), format: "der", type: "spki" });
    assert.equal(keyFingerprint, publicKey?.fingerprint);
    assert.equal(verify("sha256", text, key, signature), true);
    await assert.rejects(
      keys.getPublicKey({ keyId: "b" }),
      (error) => error instanceof GrpcStatusError && error.details === 'key "b" not found',
    );

    await host.client(Init).deinit({});
    assert.deepEqual(await host.shutdown(), { code: 0, signal: null, wasKilled: false });
  });
});

it("the plugin that the SDK's README shows works as it stands there", async (context) => {
  const [, shown] = /```ts\n([\s\S]*?)```/.exec(readFileSync("src/plugin-sdk/README.md", "utf8")) ?? [];
  assert.ok(shown?.includes('from "spire-aws-kms/plugin-sdk"'));
  // Below the repository, so that the libraries that it imports are found.
  const folder = mkdtempSync("dist/readme-plugin-");
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const source = `${folder}/readme-plugin.ts`;
  writeFileSync(source, (shown ?? "").replace('"spire-aws-kms/plugin-sdk"', '"../../src/plugin-sdk/index.ts"'));
  const [plugin] = await bundlePlugins(source);
  const host = await startPlugin({
    command: plugin,
    checksum: await sha256OfFile(plugin),
    cookie: { key: "WorkloadAttestor", value: "WorkloadAttestor" },
  });
  const coreConfiguration = { trustDomain: "example.org" };
  await host.client(Config).configure({ coreConfiguration, hclConfiguration: 'prefix = "number"' });
  const { selectorValues } = await host.client(WorkloadAttestor).attest({ pid: 7 });
  assert.deepEqual(selectorValues, ["number:7"]);
  assert.equal((await host.shutdown()).wasKilled, false);
});

describe("a plugin started by hand", () => {
  it("--version prints name and version on stdout, cookie or not", async () => {
    for (const env of [{}, { KeyManager: "KeyManager" }]) {
      const plugin = startRaw(minimal, env, ["--version"]);
      assert.deepEqual(await plugin.exited, { code: 0, signal: null });
      assert.equal(plugin.stdout(), "minimal 1.0.0\n");
      assert.equal(plugin.stderr(), "");
    }
  });

  it("--help tells how SPIRE is told of it", async () => {
    const plugin = startRaw(minimal, {}, ["--help"]);
    assert.deepEqual(await plugin.exited, { code: 0, signal: null });
    for (const text of [
      "minimal 1.0.0",
      "Keeps keys in memory",
      'KeyManager "minimal"',
      `plugin_cmd = "${minimal}"`,
      "plugin_checksum",
    ]) {
      assert.ok(plugin.stdout().includes(text), `${text} is missing in:\n${plugin.stdout()}`);
    }
  });

  it("says what it is, and how to learn more, without the cookie", async () => {
    const plugin = startRaw(minimal);
    assert.deepEqual(await plugin.exited, { code: 1, signal: null });
    assert.equal(plugin.stdout(), "");
    assert.match(plugin.stderr(), /minimal 1\.0\.0 is a SPIRE KeyManager plugin: SPIRE starts it/);
    assert.match(plugin.stderr(), /--help .*--version/);
  });

  it("leaves other arguments to the plugin", async () => {
    const plugin = startRaw(minimal, { KeyManager: "KeyManager" }, ["--verbose", "--help"]);
    assert.match(await plugin.handshake, /^1\|1\|unix\|/);
    plugin.child.kill("SIGTERM");
    assert.equal((await plugin.exited).code, 0);
  });
});
