/** A server that is updated finds what the build before it has left, works with it, and leaves it so that it is found again. */
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { Emulator } from "../../src/kms-emulator/index.ts";
import { startTestEmulator } from "../fixtures/test-emulator.ts";
import { kmsData } from "../kms/kms-command.ts";
import { pluginCommand } from "../plugin/harness/plugin-command.ts";
import { pluginData } from "../plugin/harness/settings.ts";
import { signMessage } from "../plugin/harness/signing.ts";
import { pluginEnvironment } from "../plugin/harness/stage.ts";
import { TestPlugin } from "../plugin/harness/test-plugin.ts";
import { type FormerServer, formerServers, recordedServers, recordFolder } from "./recorded.ts";

describe("what an earlier build has left in KMS and on disk", () => {
  let folder: string;
  let emulator: Emulator;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "former-release-"));
    cpSync(recordFolder, folder, { recursive: true });
    emulator = await startTestEmulator({ region: "us-east-2", dataFile: join(folder, "kms.data") });
  });
  after(async () => {
    await emulator.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function start({ program, settings }: FormerServer): Promise<TestPlugin> {
    const command = join(dirname(pluginCommand), program);
    const env = pluginEnvironment(emulator.endpoint, folder);
    const plugin = await TestPlugin.start({ command, cwd: folder, env });
    await plugin.configureText(
      program === "kms" ? kmsData(settings) : pluginData({ ...settings, key_identifier_value: undefined }),
    );
    return plugin;
  }

  for (const server of formerServers) {
    it(`${server.name}: the same keys, which sign and rotate; and the identifier file as it was`, async () => {
      const recorded = recordedServers().find(({ name }) => name === server.name);
      assert.ok(recorded !== undefined);
      const plugin = await start(server);
      assert.deepEqual(Object.fromEntries(await plugin.fingerprints()), recorded.fingerprints);
      for (const keyId of ["x509-CA-A", "JWT-Signer-A"]) {
        const { keyFingerprint } = await signMessage(plugin, keyId, Buffer.from("message"), "sha256");
        assert.equal(keyFingerprint, recorded.fingerprints[keyId]);
      }
      const rotated = await plugin.generate("x509-CA-A");
      await plugin.logged(/^Key scheduled for deletion$/);
      await plugin.stop();
      const again = await start(server);
      assert.deepEqual(Object.fromEntries(await again.fingerprints()), {
        ...recorded.fingerprints,
        "x509-CA-A": rotated.fingerprint,
      });
      await again.stop();
      const idFile = server.settings.key_identifier_file;
      if (typeof idFile !== "string") return;
      assert.deepEqual(readFileSync(join(folder, idFile)), readFileSync(join(recordFolder, idFile)));
    });
  }
});
