import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { signMessage } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

const keyId = "x509-CA-A";

interface Server {
  readonly serverId: string;
  readonly trustDomain: string;
}

const server = (serverId: string, trustDomain = "example.org"): Server => ({ serverId, trustDomain });

/** Servers whose names are near each other, in pairs that a bare prefix would mix up. */
const neighbours: readonly Server[] = [
  server("a"),
  server("ab"),
  server("a/b"),
  server("a/b/c"),
  server("A"),
  server("a-b"),
  server("a", "example.organic"),
  server("a", "example"),
  server("a", "www.example.org"),
];

/** SPIRE key ids and the alias segments they become; those of the built-in plugin's own where it has one. */
const keyIds: readonly (readonly [keyId: string, segment: string])[] = [
  ["x509-CA-A", "x509-CA-A"],
  ["JWT-Signer-B", "JWT-Signer-B"],
  ["WIT-Signer-1700000000", "WIT-Signer-1700000000"],
  ["acme_account+key", "acme_account_2bkey"],
  ["spire.example.org+rsa", "spire_2eexample_2eorg_2brsa"],
  ["with_2e_inside", "with_5f2e_inside"],
  ["a.b", "a_2eb"],
  ["a_b", "a_b"],
  ["a/b", "a_2fb"],
  ["x", "x"],
  ["UPPER", "UPPER"],
  ["upper", "upper"],
  ["with space", "with_20space"],
  ["schlüssel", "schl_c3_bcssel"],
  ["鍵", "_e9_8d_b5"],
  ["🔑", "_f0_9f_94_91"],
  ["..", "_2e_2e"],
  ["alias/aws/kms", "alias_2faws_2fkms"],
  ["*?:%\"'\\\n\u0000", "_2a_3f_3a_25_22_27_5c_0a_00"],
];

describe("names of keys", () => {
  const stage = useStage();
  let plugin: TestPlugin;

  before(async () => {
    plugin = await stage.start();
  });

  const configure = ({ serverId, trustDomain }: Server, by = plugin) =>
    by.configure({ key_identifier_value: serverId }, trustDomain);

  it("servers and trust domains with names near each other have keys of their own, also after a restart", async () => {
    const fingerprints = new Map<Server, string>();
    for (const one of neighbours) {
      await configure(one);
      assert.equal((await plugin.fingerprints()).size, 0, `${one.serverId} of ${one.trustDomain} sees no foreign key`);
      fingerprints.set(one, (await plugin.generate(keyId)).fingerprint);
    }
    const restarted = await stage.start();
    for (const one of neighbours) {
      await configure(one, restarted);
      assert.deepEqual(await restarted.fingerprints(), new Map([[keyId, fingerprints.get(one)]]));
    }
    assert.equal(new Set(fingerprints.values()).size, neighbours.length);
    const states = (await stage.kms.keys()).map(({ state }) => state);
    assert.ok(
      states.every((state) => state === "Enabled"),
      "no server has touched another's key",
    );
    await restarted.stop();
  });

  it("key b/x of server a is not key x of server a/b", async () => {
    await configure(server("a"));
    const ours = await plugin.generate("b/x");
    await configure(server("a/b"));
    const theirs = await plugin.generate("x");
    const restarted = await stage.start();
    await configure(server("a"), restarted);
    assert.equal((await restarted.fingerprints()).get("b/x"), ours.fingerprint);
    await configure(server("a/b"), restarted);
    assert.equal((await restarted.fingerprints()).get("x"), theirs.fingerprint);
    await restarted.stop();
  });

  it("a server id with slashes to spare is the same server, as for the built-in plugin", async () => {
    await configure(server("/slashes//x/"));
    const { fingerprint } = await plugin.generate(keyId);
    await configure(server("slashes/x"));
    assert.deepEqual(await plugin.fingerprints(), new Map([[keyId, fingerprint]]));
  });

  it("trust domains a.b and a_b look the same in aliases: neither sees nor takes the other's key", async () => {
    await configure(server("shared", "a.b"));
    const ours = await plugin.generate(keyId);
    await configure(server("shared", "a_b"));
    assert.equal((await plugin.fingerprints()).size, 0);
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    const words = [/stands on a key that is not this server's/, /"SPIRE_SERVER\/a\.b"/, /another key_identifier_value/];
    await expectStatus(plugin.generate(keyId), "FAILED_PRECONDITION", ...words);
    await scheduled;
    const key = await stage.kms.keyBehind("shared", keyId, "a_b");
    assert.equal(key.fingerprint, ours.fingerprint);
    await configure(server("shared", "a.b"));
    assert.deepEqual(await plugin.fingerprints(), new Map([[keyId, ours.fingerprint]]));
  });

  it("key ids of every kind make the aliases they should, and survive a restart", async () => {
    await configure(server("ids"));
    const made = new Map<string, string>();
    for (const [id, segment] of keyIds) {
      const key = await plugin.generate(id);
      assert.equal(key.id, id);
      made.set(id, key.fingerprint);
      const { fingerprint } = await stage.kms.keyBehind("ids", segment);
      assert.equal(fingerprint, key.fingerprint, JSON.stringify(id));
    }
    assert.equal(new Set(made.values()).size, keyIds.length);
    const restarted = await stage.start();
    await configure(server("ids"), restarted);
    assert.deepEqual(new Map([...(await restarted.fingerprints())].sort()), new Map([...made].sort()));
    for (const [id] of keyIds) {
      const { publicKey } = await restarted.keyManager.getPublicKey({ keyId: id });
      assert.equal(publicKey?.id, id);
      const { keyFingerprint } = await signMessage(restarted, id, Buffer.from("message"), "sha256");
      assert.equal(keyFingerprint, made.get(id));
    }
    for (const id of ["spire.example.org+rsa", "with_2e_inside", "🔑"]) {
      const rotated = await restarted.generate(id);
      assert.equal((await restarted.fingerprints()).get(id), rotated.fingerprint);
    }
    assert.equal((await restarted.fingerprints()).size, keyIds.length, "a rotation makes no second alias");
    await restarted.stop();
  });

  it("keys of SPIRE's built-in plugin are found, with its ids, and rotated under its aliases", async () => {
    const builtIn = async (segment: string): Promise<string> => {
      const { KeyMetadata } = await stage.kms.call<{ KeyMetadata: { KeyId: string } }>("CreateKey", {
        KeySpec: "ECC_NIST_P256",
        KeyUsage: "SIGN_VERIFY",
        Description: `SPIRE_SERVER_KEY/example_org/${segment}`,
      });
      const AliasName = `alias/SPIRE_SERVER/example_org/built-in/${segment}`;
      await stage.kms.call("CreateAlias", { AliasName, TargetKeyId: KeyMetadata.KeyId });
      return (await stage.kms.key(KeyMetadata.KeyId)).fingerprint;
    };
    const expected = new Map([
      ["x509-CA-A", await builtIn("x509-CA-A")],
      ["acme_account+key", await builtIn("acme_account_2bkey")],
      ["example.org+rsa", await builtIn("example_2eorg_2brsa")],
    ]);
    await configure(server("built-in"));
    assert.deepEqual(new Map([...(await plugin.fingerprints())].sort()), new Map([...expected].sort()));
    const rotated = await plugin.generate("acme_account+key");
    const key = await stage.kms.keyBehind("built-in", "acme_account_2bkey");
    assert.equal(key.fingerprint, rotated.fingerprint);
  });
});
