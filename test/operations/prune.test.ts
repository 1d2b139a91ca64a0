/** `spire-aws-kms prune`: the scans' rules from outside, two looks, and nothing without an operator's yes. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Desk, keyWithout, type Permission, region, runAtTerminal, transcript, trustDomain } from "./desk.ts";

const flags = ["--trust-domain", trustDomain, "--region", region];
const dayMs = 86_400_000;

describe("spire-aws-kms prune", () => {
  let desk: Desk;
  let stale: string;
  let orphan: string;
  let own: string;

  beforeEach(async () => {
    desk = new Desk({ daysAgo: 30 });
    await desk.open();
    stale = await desk.serverKey("dead", "x509-CA-A");
    own = await desk.serverKey("own", "x509-CA-A");
    const rescued = await desk.serverKey("dead", "x509-CA-B");
    await desk.call("CreateAlias", { AliasName: "alias/rescued", TargetKeyId: rescued });
    orphan = await desk.key();
    const living = await desk.serverKey("living", "x509-CA-A");
    desk.today();
    await desk.refresh("living", "x509-CA-A", living);
  });
  afterEach(() => desk.close());

  const run = (...args: readonly string[]) => desk.run(["prune", ...flags, ...args]);
  const stateOf = async (KeyId: string): Promise<string> => {
    const { KeyMetadata } = await desk.call<{ KeyMetadata: { KeyState: string } }>("DescribeKey", { KeyId });
    return KeyMetadata.KeyState;
  };

  it("shows what would go, with the rule, and changes nothing", async () => {
    const before = desk.state();
    const args = ["--server-id", "own", "--dry-run"];
    assert.deepEqual(transcript(["prune", ...args], await run(...args), desk), [
      "$ spire-aws-kms prune --server-id own --dry-run",
      "stale alias  720h  arn:aws:kms:us-east-2:111122223333:key/KEY-1  alias/SPIRE_SERVER/example_org/dead/x509-CA-A",
      "stale key  720h  arn:aws:kms:us-east-2:111122223333:key/KEY-2",
      "2 keys to be scheduled for deletion; 1 looked at and left alone",
      "nothing was changed",
      "exit 0",
    ]);
    assert.equal(desk.state(), before);
  });

  it("does nothing without a terminal and without --yes", async () => {
    const before = desk.state();
    const { code, stderr } = await run();
    assert.equal(code, 3);
    assert.match(stderr, /nothing was changed: there is no terminal to ask at; --yes agrees beforehand/);
    assert.equal(desk.state(), before);
  });

  it("schedules what is still stale at the second look", async () => {
    const args = ["--server-id", "own", "--yes", "--confirm-delay", "0s"];
    assert.deepEqual(transcript(["prune", ...args], await run(...args), desk), [
      "$ spire-aws-kms prune --server-id own --yes --confirm-delay 0s",
      "stale alias  720h  arn:aws:kms:us-east-2:111122223333:key/KEY-1  alias/SPIRE_SERVER/example_org/dead/x509-CA-A",
      "stale key  720h  arn:aws:kms:us-east-2:111122223333:key/KEY-2",
      "2 keys to be scheduled for deletion; 1 looked at and left alone",
      "scheduled  arn:aws:kms:us-east-2:111122223333:key/KEY-1, deleted at TIME",
      "scheduled  arn:aws:kms:us-east-2:111122223333:key/KEY-2, deleted at TIME",
      "2 keys scheduled for deletion; spire-aws-kms cancel-deletion KEY brings one back",
      "exit 0",
    ]);
    assert.deepEqual(
      [await stateOf(stale), await stateOf(orphan), await stateOf(own)],
      ["PendingDeletion", "PendingDeletion", "Enabled"],
    );
    assert.equal(desk.calls().ScheduleKeyDeletion, 2);
    assert.equal(desk.calls().DeleteAlias, 1);
  });

  it("leaves a key whose server comes back between the two looks", async () => {
    let isBack: Promise<unknown> | undefined;
    await desk.close();
    await desk.open();
    const again = await desk.serverKey("dead", "x509-CA-A");
    desk.pass(29);
    desk.today();
    const text = await desk.run(["prune", ...flags, "--yes", "--confirm-delay", "5s"], {
      onStdout(said) {
        if (said.includes("to be scheduled")) isBack ??= desk.refresh("dead", "x509-CA-A", again);
      },
    });
    await isBack;
    assert.equal(text.code, 0, text.stderr);
    assert.match(text.stdout, /^stays {2}arn:.*: it is not stale any more$/m);
    assert.match(text.stdout, /^0 keys scheduled for deletion/m);
    assert.equal(await stateOf(again), "Enabled");
  });

  it("leaves a key that has signed of late", async () => {
    await desk.call("Sign", {
      KeyId: stale,
      Message: new Uint8Array(32),
      MessageType: "DIGEST",
      SigningAlgorithm: "ECDSA_SHA_256",
    });
    const { stdout } = await run("--server-id", "own", "--yes", "--confirm-delay", "0s");
    assert.match(stdout, /stays {2}.*KMS has recorded a use of the key/);
    assert.equal(await stateOf(stale), "Enabled");
  });

  it("asks at a terminal, and takes only yes for yes", async (t) => {
    const args = ["prune", ...flags, "--server-id", "own", "--confirm-delay", "0s"];
    const no = await runAtTerminal(desk, args, "y");
    if (no === undefined) return t.skip("there is no /usr/bin/script to make a terminal with");
    assert.equal(no.code, 3, no.stdout);
    assert.match(
      no.stdout,
      /Schedule 2 keys for deletion, with a waiting period of 7 days, after a second look in 0s\?/,
    );
    assert.match(no.stdout, /nothing was changed: it was not agreed to/);
    assert.equal(await stateOf(stale), "Enabled");
    const yes = await runAtTerminal(desk, args, "yes");
    assert.equal(yes?.code, 0, yes?.stdout);
    assert.equal(await stateOf(stale), "PendingDeletion");
  });

  it("heeds max_deletions_per_scan and prune_dry_run of server.conf", async () => {
    const conf = (more: string) => `server { trust_domain = "${trustDomain}" }
      plugins { KeyManager "aws_kms" { plugin_data { region = "${region}" key_identifier_value = "x" ${more} } } }`;
    await desk.write("capped.conf", conf("max_deletions_per_scan = 1"));
    const capped = await desk.run(["prune", "--config", "capped.conf", "--dry-run", "--json"]);
    const document = JSON.parse(capped.stdout);
    assert.deepEqual(
      [document.format, document.version, document.keys.length, document.deferred],
      ["spire-aws-kms/prune", 1, 2, 1],
    );
    await desk.write("dry.conf", conf("prune_dry_run = true"));
    const dry = await desk.run(["prune", "--config", "dry.conf", "--yes", "--confirm-delay", "0s"]);
    assert.equal(dry.code, 0);
    assert.match(dry.stderr, /prune_dry_run is set/);
    assert.equal(await stateOf(stale), "Enabled");
  });

  const missing: Readonly<Partial<Record<Permission, { readonly says: RegExp; readonly goes: number }>>> = {
    "kms:ListAliases": { says: /kms:ListAliases is missing: the scan "prune stale aliases" is left out/, goes: 0 },
    "kms:ListKeys": { says: /kms:ListKeys is missing: the scan "prune stale keys" is left out/, goes: 1 },
    "kms:ScheduleKeyDeletion": { says: /^$/, goes: 0 },
    "kms:GetKeyLastUsage": { says: /^$/, goes: 2 },
    "kms:DeleteAlias": { says: /^$/, goes: 2 },
  };
  for (const [permission, { says, goes }] of Object.entries(missing)) {
    it(`does what it can without ${permission}`, async () => {
      const env = { AWS_ACCESS_KEY_ID: keyWithout(permission as Permission) };
      const { code, stderr, stdout } = await desk.run(
        ["prune", ...flags, "--server-id", "own", "--yes", "--confirm-delay", "0s"],
        { env },
      );
      assert.match(stderr, says);
      const states = [await stateOf(stale), await stateOf(orphan)];
      assert.equal(states.filter((state) => state === "PendingDeletion").length, goes, stdout);
      assert.equal(code, goes === 2 ? 0 : 4, stdout + stderr);
      if (permission === "kms:ScheduleKeyDeletion") assert.match(stdout, /not done {2}.*allow kms:ScheduleKeyDeletion/);
    });
  }

  it("prunes nothing while ages cannot be told", async () => {
    desk.emulator.control.advance(dayMs);
    const { code, stderr } = await run("--yes", "--confirm-delay", "0s");
    assert.equal(code, 3);
    assert.match(stderr, /nothing is pruned: ages cannot be told: KMS's time .* differ by 24h: set the clock/);
  });

  it("does not prune for the older plugin", async () => {
    const { code, stderr } = await desk.run(["prune", "--key-prefix", "SERVER_A/", "--region", region]);
    assert.equal(code, 2);
    assert.match(stderr, /the kms plugin has no rules to prune by/);
  });

  it("refuses a duration that is none", async () => {
    const { code, stderr } = await run("--confirm-delay", "soon");
    assert.equal(code, 2);
    assert.match(stderr, /--confirm-delay: "soon" is no duration/);
  });
});
