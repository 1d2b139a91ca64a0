/** `spire-aws-kms cancel-deletion`: a key, its alias and its tags back to use, and no alias taken from a key in use. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { spireTags } from "../../src/key-manager/tags/spire-tags.ts";
import {
  aliasOf,
  Desk,
  keyWithout,
  type Permission,
  region,
  runAtTerminal,
  settled,
  transcript,
  trustDomain,
} from "./desk.ts";

const flags = ["--trust-domain", trustDomain, "--region", region];

describe("spire-aws-kms cancel-deletion", () => {
  let desk: Desk;
  let key: string;

  beforeEach(async () => {
    desk = new Desk();
    await desk.open();
    key = await desk.serverKey("s1", "x509-CA-A");
    await desk.call("ScheduleKeyDeletion", { KeyId: key, PendingWindowInDays: 7 });
  });
  afterEach(() => desk.close());

  const run = (...args: readonly string[]) => desk.run(["cancel-deletion", ...args, ...flags]);
  const stateOf = async (KeyId: string): Promise<string> => {
    const { KeyMetadata } = await desk.call<{ KeyMetadata: { KeyState: string } }>("DescribeKey", { KeyId });
    return KeyMetadata.KeyState;
  };
  const targetOf = async (alias: string): Promise<string> => {
    const { KeyMetadata } = await desk.call<{ KeyMetadata: { KeyId: string } }>("DescribeKey", { KeyId: alias });
    return KeyMetadata.KeyId;
  };
  const dropAlias = () => desk.call("DeleteAlias", { AliasName: aliasOf("s1", "x509-CA-A") });

  it("enables a key that still has its alias", async () => {
    const result = await run(key, "--yes");
    assert.deepEqual(transcript(["cancel-deletion", "KEY", "--yes"], result, desk), [
      "$ spire-aws-kms cancel-deletion KEY --yes",
      "key arn:aws:kms:us-east-2:111122223333:key/KEY-1: PendingDeletion, to be deleted at TIME",
      "  cancel its deletion",
      "  enable it",
      "done  its deletion is cancelled",
      "done  it is enabled",
      "hint: restart the SPIRE Server: it looks for its keys when it is configured",
      "exit 0",
    ]);
    assert.equal(await stateOf(key), "Enabled");
  });

  it("makes the alias anew that pruning took, before it enables the key", async () => {
    await dropAlias();
    const { code, stdout } = await run(key, "--server-id", "s1", "--spire-key-id", "x509-CA-A", "--yes");
    assert.equal(code, 0);
    assert.match(
      stdout,
      /cancel its deletion\n {2}make alias alias\/SPIRE_SERVER\/example_org\/s1\/x509-CA-A\n {2}enable it/,
    );
    assert.equal(await targetOf(aliasOf("s1", "x509-CA-A")), key);
    assert.equal(await stateOf(key), "Enabled");
  });

  it("puts an alias on it that keeps the scans off where nothing tells the one it had", async () => {
    await dropAlias();
    const { code, stderr } = await run(key, "--yes");
    assert.equal(code, 0);
    assert.match(stderr, /nothing tells which SPIRE key id it had/);
    assert.equal(await targetOf(`alias/rescued-${key}`), key);
    const again = await run(key, "--server-id", "s1", "--spire-key-id", "x509-CA-A", "--yes");
    assert.equal(again.code, 0);
    assert.equal(await targetOf(aliasOf("s1", "x509-CA-A")), key);
  });

  it("tells alias and tags by the tags that it has", async () => {
    await dropAlias();
    await desk.call("CancelKeyDeletion", { KeyId: key });
    const tags = spireTags({ trustDomain, serverId: "s1" }, "x509-CA-A", new Date(0));
    const Tags = tags.map((tag) => ({ TagKey: tag.key, TagValue: tag.key === "spire-active" ? "false" : tag.value }));
    await desk.call("TagResource", { KeyId: key, Tags });
    await desk.call("ScheduleKeyDeletion", { KeyId: key, PendingWindowInDays: 7 });
    const { code, stdout } = await run(key, "--yes");
    assert.equal(code, 0, stdout);
    assert.match(stdout, /done {2}its tags say that it is in use/);
    assert.equal(await targetOf(aliasOf("s1", "x509-CA-A")), key);
    const after = await desk.call<{ Tags: readonly { TagKey: string; TagValue: string }[] }>("ListResourceTags", {
      KeyId: key,
    });
    const now = new Map(after.Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
    assert.equal(now.get("spire-active"), "true");
    assert.notEqual(now.get("spire-last-update"), "0");
  });

  it("never takes an alias from a key that can be used", async () => {
    const successor = await desk.key();
    await desk.call("UpdateAlias", { AliasName: aliasOf("s1", "x509-CA-A"), TargetKeyId: successor });
    const before = desk.state();
    const { code, stderr } = await run(key, "--server-id", "s1", "--spire-key-id", "x509-CA-A", "--yes");
    assert.equal(code, 3);
    assert.match(
      stderr,
      /alias .*\/s1\/x509-CA-A stands on key .*, which is usable: a server may sign with it; take another alias/,
    );
    assert.equal(desk.state(), before);
    const protectedOne = await run(key, "--protect", "--yes");
    assert.equal(protectedOne.code, 0);
    assert.equal(await targetOf(aliasOf("s1", "x509-CA-A")), successor);
  });

  it("takes it from one that cannot", async () => {
    const successor = await desk.key();
    await desk.call("UpdateAlias", { AliasName: aliasOf("s1", "x509-CA-A"), TargetKeyId: successor });
    await desk.call("DisableKey", { KeyId: successor });
    const { code, stdout } = await run(key, "--server-id", "s1", "--spire-key-id", "x509-CA-A", "--yes");
    assert.equal(code, 0, stdout);
    assert.match(stdout, /move alias .* from the unusable key/);
    assert.equal(await targetOf(aliasOf("s1", "x509-CA-A")), key);
  });

  it("takes up where an attempt was cut off, and does nothing where nothing is to be done", async () => {
    await desk.call("CancelKeyDeletion", { KeyId: key });
    assert.equal((await run(key, "--yes")).code, 0);
    assert.equal(await stateOf(key), "Enabled");
    const { code, stdout } = await run(key, "--json");
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout).steps, []);
  });

  it("asks, and does nothing without a yes", async (t) => {
    const before = desk.state();
    assert.equal((await run(key)).code, 3);
    assert.equal((await run(key, "--dry-run")).code, 0);
    assert.equal(desk.state(), before);
    const no = await runAtTerminal(desk, ["cancel-deletion", key, ...flags], "no");
    if (no === undefined) return t.skip("there is no /usr/bin/script to make a terminal with");
    assert.equal(no.code, 3);
    assert.equal(desk.state(), before);
    assert.equal((await runAtTerminal(desk, ["cancel-deletion", key, ...flags], "yes"))?.code, 0);
  });

  it("works for the older plugin, whose description tells the id", async () => {
    const older = await desk.key({ Description: "SERVER_A/x509-CA-A" });
    await desk.call("ScheduleKeyDeletion", { KeyId: older, PendingWindowInDays: 7 });
    const result = await desk.run(["cancel-deletion", older, "--key-prefix", "SERVER_A/", "--region", region, "--yes"]);
    assert.equal(result.code, 0, result.stderr);
    assert.equal(await targetOf("alias/SERVER_A/x509-CA-A"), older);
  });

  it("reads the id in the description that SPIRE's built-in plugin gives", async () => {
    const builtIn = await desk.key({ Description: "SPIRE_SERVER_KEY/example_org/JWT-Signer-A" });
    await desk.call("ScheduleKeyDeletion", { KeyId: builtIn, PendingWindowInDays: 7 });
    assert.equal((await run(builtIn, "--server-id", "s1", "--yes")).code, 0);
    assert.equal(await targetOf(aliasOf("s1", "JWT-Signer-A")), builtIn);
  });

  it("refuses what is not the trust domain's, and what is not there", async () => {
    const foreign = await desk.key({ Description: "billing" });
    await desk.call("ScheduleKeyDeletion", { KeyId: foreign, PendingWindowInDays: 7 });
    const other = await run(foreign, "--yes");
    assert.equal(other.code, 3);
    assert.match(other.stderr, /description "billing" is not one of this configuration's keys/);
    const none = await run("00000000-0000-4000-8000-000000000000", "--yes");
    assert.equal(none.code, 1);
    assert.match(settled(none.stderr, desk), /there is no key KEY-1 in this account and Region/);
    const name = await run(key, "--alias", "alias/aws/kms", "--yes");
    assert.equal(name.code, 2);
  });

  for (const permission of [
    "kms:CancelKeyDeletion",
    "kms:EnableKey",
    "kms:CreateAlias",
    "kms:DescribeKey",
    "kms:ListAliases",
    "kms:ListResourceTags",
  ] as const) {
    it(`says that ${permission} is missing, or does without it`, async () => {
      await dropAlias();
      const env = { AWS_ACCESS_KEY_ID: keyWithout(permission as Permission) };
      const args = ["cancel-deletion", key, "--server-id", "s1", "--spire-key-id", "x509-CA-A", "--yes", ...flags];
      const { code, stderr } = await desk.run(args, { env });
      if (permission === "kms:ListResourceTags") {
        assert.equal(code, 0, stderr);
        return;
      }
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`allow ${permission}`));
      // With it, another run goes on from there.
      assert.equal((await desk.run(args)).code, 0);
      assert.equal(await stateOf(key), "Enabled");
    });
  }
});
