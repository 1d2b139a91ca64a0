/**
 * Records what a build leaves in KMS and on disk, for the builds after it: the emulator's data file, the identifier file,
 * and the keys that must be found again. Run by hand when there is a release:
 *
 *   node --import tsx test/former-release/record.ts FOLDER_OF_ITS_EXECUTABLES
 */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { KeyType } from "../../src/plugin-sdk/index.ts";
import { startTestEmulator } from "../fixtures/test-emulator.ts";
import { kmsData } from "../kms/kms-command.ts";
import { pluginData } from "../plugin/harness/settings.ts";
import { pluginEnvironment } from "../plugin/harness/stage.ts";
import { TestPlugin } from "../plugin/harness/test-plugin.ts";
import { type FormerServer, formerServers, recordFolder } from "./recorded.ts";

const keyTypes = { "x509-CA-A": KeyType.EC_P256, "x509-CA-B": KeyType.EC_P384, "JWT-Signer-A": KeyType.RSA_2048 };

async function recordServer(binFolder: string, server: FormerServer, endpoint: string): Promise<object> {
  const { program, name, settings } = server;
  const plugin = await TestPlugin.start({
    command: join(binFolder, program),
    cwd: recordFolder,
    env: pluginEnvironment(endpoint, recordFolder),
  });
  const text = program === "kms" ? kmsData(settings) : pluginData({ ...settings, key_identifier_value: undefined });
  await plugin.configureText(text);
  for (const [keyId, keyType] of Object.entries(keyTypes)) await plugin.generate(keyId, keyType);
  // A rotation, so that the record has a key that is pending deletion.
  await plugin.generate("x509-CA-A");
  await plugin.logged(/^Key scheduled for deletion$/);
  const fingerprints = Object.fromEntries(await plugin.fingerprints());
  await plugin.stop();
  return { name, fingerprints };
}

const [binFolder] = process.argv.slice(2);
if (binFolder === undefined) throw new Error("which folder has the executables?");
rmSync(recordFolder, { recursive: true, force: true });
mkdirSync(recordFolder, { recursive: true });
const emulator = await startTestEmulator({ region: "us-east-2", dataFile: join(recordFolder, "kms.data") });
const found: object[] = [];
for (const server of formerServers) found.push(await recordServer(binFolder, server, emulator.endpoint));
await emulator.close();
writeFileSync(join(recordFolder, "keys.json"), `${JSON.stringify(found, undefined, 2)}\n`);
