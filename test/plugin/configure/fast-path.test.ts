/** `grpc_fast_path`: a configuration that takes effect decides who answers SignData, and no other does. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { silentLogger } from "../../../src/go-plugin/hclog/logger.ts";
import type { Emulator } from "../../../src/kms-emulator/index.ts";
import { loadAwsKms } from "../../../src/plugin/aws-kms/plugin.ts";
import type { PluginImplementation } from "../../../src/plugin-sdk/index.ts";
import { startTestEmulator } from "../../fixtures/test-emulator.ts";
import { pluginData, region, type Settings } from "../harness/settings.ts";
import { credentials } from "../harness/stage.ts";

describe("grpc_fast_path", () => {
  let emulator: Emulator;
  let plugin: PluginImplementation;

  before(async () => {
    emulator = await startTestEmulator({ region });
    plugin = await loadAwsKms({ log: silentLogger });
  });

  after(async () => {
    await plugin.deinit?.();
    await emulator.close();
  });

  async function configure(settings: Settings): Promise<void> {
    const { endpoint } = emulator;
    const access = { access_key_id: credentials.accessKeyId, secret_access_key: credentials.secretAccessKey };
    const text = pluginData({ endpoint, sts_endpoint: endpoint, ...access, ...settings });
    const { signal } = new AbortController();
    await plugin.config?.configure(
      text,
      { trustDomain: "example.org" },
      { signal, method: "Configure", deadline: undefined, log: silentLogger },
    );
  }

  it("is on until a configuration turns it off, whatever is configured in vain", async () => {
    const [fast] = plugin.services.map((registration) => registration.fast);
    assert.deepEqual(fast?.methods, ["signData"]);
    assert.equal(fast.isOn(), true);
    await configure({ grpc_fast_path: false });
    assert.equal(fast.isOn(), false);
    await assert.rejects(configure({ region: undefined, grpc_fast_path: true }));
    assert.equal(fast.isOn(), false);
    await configure({});
    assert.equal(fast.isOn(), true);
  });
});
