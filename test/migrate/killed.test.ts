import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { kmsCommand, kmsData } from "../kms/kms-command.ts";
import { OriginalPlugin } from "../kms/original-plugin.ts";
import { pluginCommand } from "../plugin/harness/plugin-command.ts";
import { publicKeyOf, signMessage, verifies } from "../plugin/harness/signing.ts";
import { useStage } from "../plugin/harness/stage.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";
import { isOperator, onStage, runMigrate, startMigrate } from "./migrate-command.ts";

const keyIds = ["JWT-Signer-A", "x509-CA-A"];
const flags = ["--from-prefix", "SERVER_A/", "--trust-domain", "example.org", "--to-server-id", "s1"];
const awsKmsSettings = { key_identifier_value: "s1" };

describe("a server migrates while it signs, and the command is killed at every change", () => {
  const stage = useStage({ pluginCommand: kmsCommand });
  const deaths: string[] = [];
  let expected: ReadonlyMap<string, string>;

  before(async () => {
    const original = new OriginalPlugin(stage.kms, "SERVER_A/");
    for (const keyId of [...keyIds, "x509-CA-A"]) await original.generate(keyId);
    expected = original.fingerprints;
  });

  const inOrder = (map: ReadonlyMap<string, string>) => [...map].sort(([a], [b]) => a.localeCompare(b));

  async function assertSigns(plugin: TestPlugin): Promise<void> {
    const message = Buffer.from(`signature beside death ${deaths.length}`);
    for (const keyId of keyIds) {
      const { publicKey } = await plugin.keyManager.getPublicKey({ keyId });
      assert.ok(publicKey);
      const { signature, keyFingerprint } = await signMessage(plugin, keyId, message, "sha256");
      assert.equal(keyFingerprint, expected.get(keyId));
      assert.ok(verifies(publicKeyOf(publicKey), message, "sha256", signature));
    }
  }

  /** The same keys in the same states as in the beginning: one rotated away, two in use. */
  async function assertKeysUntouched(): Promise<void> {
    const keys = await stage.kms.keys();
    const used = keys.filter(({ state }) => state === "Enabled").map(({ fingerprint }) => fingerprint);
    assert.deepEqual(used.sort(), [...expected.values()].sort());
    assert.equal(keys.length, keyIds.length + 1);
  }

  async function configured(command: string, start: (plugin: TestPlugin) => Promise<void>): Promise<TestPlugin> {
    const plugin = await stage.start({ command });
    await start(plugin);
    assert.deepEqual(inOrder(await plugin.fingerprints()), inOrder(expected));
    return plugin;
  }
  const kms = () => configured(kmsCommand, (plugin) => plugin.configureText(kmsData({ key_prefix: "SERVER_A/" })));
  const awsKms = () => configured(pluginCommand, (plugin) => plugin.configure(awsKmsSettings));

  /**
   * Kills the command while it waits for one of its calls.
   *
   * @param fate `lost`: the call never happens; `done`: it has happened; `late`: it happens after the death
   */
  async function killed(phase: string, operation: string, fate: "lost" | "done" | "late"): Promise<void> {
    const { control } = stage.emulator;
    const fault =
      fate === "lost" ? control.addFault({ kind: "reset", operation, times: 1, match: isOperator }) : undefined;
    const pause = control.pause({ operation, when: fate === "done" ? "after" : "before", match: isOperator });
    const command = startMigrate(stage, [...flags, phase, ...onStage(stage)]);
    await Promise.race([
      pause.reached,
      command.result.then(({ stderr }) => assert.fail(`${phase} ended before ${operation}: ${stderr}`)),
    ]);
    await command.kill();
    const landed = control.pause({ operation, when: "after", match: isOperator });
    pause.release();
    if (fate === "late") await landed.reached;
    landed.release();
    fault?.remove();
    deaths.push(`${phase}: ${operation} ${fate}`);
  }

  async function completes(phase: string): Promise<void> {
    const { code, stdout, stderr } = await runMigrate(stage, ...flags, phase);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^verified: /m);
  }

  it("apply", async () => {
    const plugin = await kms();
    await assertSigns(plugin);
    for (const fate of ["lost", "done", "lost", "done"] as const) {
      await killed("--apply", "CreateAlias", fate);
      await assertSigns(plugin);
      await assertKeysUntouched();
    }
    await completes("--apply");
    await assertSigns(plugin);
    await plugin.stop();
    await assertSigns(await awsKms());
  });

  it("back, and apply again", async () => {
    const plugin = await kms();
    for (const fate of ["done", "late"] as const) {
      await killed("--back", "DeleteAlias", fate);
      await assertSigns(plugin);
      await assertKeysUntouched();
    }
    await completes("--back");
    assert.deepEqual(
      (await stage.kms.keys()).flatMap(({ aliases }) => aliases).sort(),
      keyIds.map((keyId) => `alias/SERVER_A/${keyId}`),
    );
    await plugin.stop();
    await assertSigns(await kms());
    await completes("--apply");
  });

  it("finish", async () => {
    const plugin = await awsKms();
    for (const fate of ["lost", "done", "late"] as const) {
      await killed("--finish", "DeleteAlias", fate);
      await assertSigns(plugin);
      await assertKeysUntouched();
    }
    await plugin.stop();
    await assertSigns(await awsKms());
    await completes("--finish");
    assert.deepEqual(
      (await stage.kms.keys()).flatMap(({ aliases }) => aliases).sort(),
      keyIds.map((keyId) => `alias/SPIRE_SERVER/example_org/s1/${keyId}`),
    );
    const { code, stderr } = await runMigrate(stage, ...flags, "--back");
    assert.equal(code, 3);
    assert.match(stderr, /no old alias is left: the migration is finished/);
  });

  it("goes on with aws_kms: rotation and restart", async () => {
    const plugin = await awsKms();
    const { fingerprint } = await plugin.generate("x509-CA-A");
    expected = new Map([...expected, ["x509-CA-A", fingerprint]]);
    await plugin.stop();
    await assertSigns(await awsKms());
  });

  it("has touched aliases only", (t) => {
    for (const death of deaths) t.diagnostic(death);
    assert.equal(deaths.length, 9);
    const calls = stage.emulator.control.journal().filter(({ input, caller }) => isOperator(input, caller));
    assert.deepEqual([...new Set(calls.map(({ operation }) => operation))].sort(), [
      "CreateAlias",
      "DeleteAlias",
      "DescribeKey",
      "GetPublicKey",
      "ListAliases",
    ]);
  });
});
