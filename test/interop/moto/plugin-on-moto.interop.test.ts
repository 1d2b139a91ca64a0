/**
 * The plugin's whole life on moto, an AWS emulator that was not written here, where moto is right.
 *
 * Declared faults of moto (5.2.1) that this works around or leaves out: it hashes digests again, so signatures verify
 * over the digest's own hash and `verify_signatures` is off; it signs PSS with another salt length; it keeps no alias
 * dates, so nothing ever looks stale; it has no key states, so only the DeletionDate shows that a key is pending deletion.
 */
import assert from "node:assert/strict";
import { createHash, verify } from "node:crypto";
import { after, before, describe, it, type SuiteContext, type TestContext } from "node:test";
import { DescribeKeyCommand, KMSClient, ListAliasesCommand, ListResourceTagsCommand } from "@aws-sdk/client-kms";
import { HashAlgorithm, KeyType, type PublicKey } from "../../../src/plugin-sdk/index.ts";
import { pluginCommand } from "../../plugin/harness/plugin-command.ts";
import { publicKeyOf, signRequest } from "../../plugin/harness/signing.ts";
import { TestPlugin } from "../../plugin/harness/test-plugin.ts";
import { Unavailable } from "../python-environment.ts";
import { type MotoServer, startMoto } from "./moto-server.ts";

const keyTypes = { A: KeyType.EC_P256, B: KeyType.EC_P384, C: KeyType.RSA_2048, D: KeyType.RSA_4096 } as const;
const region = "us-east-2";

describe("aws_kms on moto", () => {
  let moto: MotoServer | undefined;
  let reason = "";
  let kms: KMSClient;
  const plugins: TestPlugin[] = [];

  before(async () => {
    try {
      moto = await startMoto();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      reason = error.message;
      return;
    }
    const credentials = { accessKeyId: "test", secretAccessKey: "test" };
    kms = new KMSClient({ endpoint: moto.endpoint, region, credentials });
  });
  after(async () => {
    for (const plugin of plugins) await plugin.host.kill();
    await moto?.close();
  });

  async function start(settings: Record<string, string | boolean> = {}): Promise<TestPlugin> {
    const plugin = await TestPlugin.start({
      command: pluginCommand,
      env: {
        AWS_ENDPOINT_URL: moto?.endpoint,
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_CONFIG_FILE: "/dev/null",
        AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
        AWS_PROFILE: undefined,
        AWS_ENDPOINT_URL_KMS: undefined,
        AWS_ENDPOINT_URL_STS: undefined,
      },
    });
    plugins.push(plugin);
    await plugin.configure({ region, verify_signatures: false, ...settings });
    return plugin;
  }

  const needsMoto = (name: string, body: (test: TestContext | SuiteContext) => Promise<void>) =>
    it(name, { timeout: 60_000 }, async (test) => {
      if (moto === undefined) test.skip(reason);
      else await body(test);
    });

  const generateAll = async (plugin: TestPlugin): Promise<Map<string, PublicKey>> => {
    const made = new Map<string, PublicKey>();
    for (const [id, type] of Object.entries(keyTypes)) made.set(id, await plugin.generate(id, type));
    return made;
  };

  needsMoto("makes keys of every type, signs, rotates, restarts and finds them", async () => {
    const first = await start();
    const made = await generateAll(first);
    for (const [id, key] of made) {
      const digest = createHash(id === "B" ? "sha384" : "sha256")
        .update("data")
        .digest();
      const hash = id === "B" ? HashAlgorithm.SHA384 : HashAlgorithm.SHA256;
      const { signature, keyFingerprint } = await first.keyManager.signData(signRequest(id, digest, hash));
      assert.equal(keyFingerprint, key.fingerprint);
      // moto hashes the digest again: the signature is of the digest as if it were the message.
      const name = id === "B" ? "sha384" : "sha256";
      assert.equal(verify(name, digest, publicKeyOf(key), signature), true, id);
    }
    const rotated = await first.generate("A", KeyType.EC_P256);
    assert.notEqual(rotated.fingerprint, made.get("A")?.fingerprint);
    const scheduled = await first.logged(/Key scheduled for deletion/);
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: String(scheduled.fields.key_arn) }));
    assert.ok(KeyMetadata?.DeletionDate !== undefined, "the old key has a deletion date");
    await first.host.kill();

    const again = await start();
    const found = await again.fingerprints();
    assert.deepEqual([...found.keys()].sort(), ["A", "B", "C", "D"]);
    assert.equal(found.get("A"), rotated.fingerprint);
    assert.equal(found.get("D"), made.get("D")?.fingerprint);
    await again.stop();
  });

  needsMoto("refuses moto's signatures over another digest unless told not to look", async () => {
    const plugin = await start({ key_identifier_value: "wary", verify_signatures: true });
    await plugin.generate("A", KeyType.EC_P256);
    const digest = createHash("sha256").update("data").digest();
    await assert.rejects(
      plugin.keyManager.signData(signRequest("A", digest, HashAlgorithm.SHA256)),
      /INTERNAL: KMS answered with a signature that does not verify.*verify_signatures = false/,
    );
    await plugin.stop();
  });

  needsMoto("finds keys by tags, aliases kept, and migrates what only an alias shows", async () => {
    const byAlias = await start({ key_identifier_value: "tagged" });
    const old = await byAlias.generate("A", KeyType.EC_P256);
    await byAlias.stop();
    const byTags = await start({ key_identifier_value: "tagged", enable_tag_based_key_discovery: true });
    const made = await byTags.generate("B", KeyType.EC_P256);
    await byTags.stop();
    const again = await start({ key_identifier_value: "tagged", enable_tag_based_key_discovery: true });
    const found = await again.fingerprints();
    assert.deepEqual(Object.fromEntries(found), { A: old.fingerprint, B: made.fingerprint });
    const { Aliases = [] } = await kms.send(new ListAliasesCommand({}));
    const targets = Aliases.filter(({ AliasName }) => AliasName?.includes("/tagged/"));
    assert.equal(targets.length, 2);
    for (const { TargetKeyId } of targets) {
      const { Tags = [] } = await kms.send(new ListResourceTagsCommand({ KeyId: TargetKeyId }));
      assert.deepEqual(Tags.map(({ TagKey }) => TagKey).sort(), [
        "spire-active",
        "spire-key-id",
        "spire-last-update",
        "spire-server-id",
        "spire-server-td",
      ]);
    }
    await again.stop();
  });
});
