import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, it } from "node:test";
import type { Fault } from "../../src/kms-emulator/index.ts";
import { deletionOf } from "./harness/kms-view.ts";
import { signMessage } from "./harness/signing.ts";
import { useStage } from "./harness/stage.ts";
import { expectStatus } from "./harness/status.ts";
import type { TestPlugin } from "./harness/test-plugin.ts";

const keyId = "x509-CA-A";
/** How many times an alias call is made before it is given up. */
const attempts = 3;

type Loss = Extract<Fault["kind"], "lost-reply" | "reset" | "http-500">;

describe("replies that never arrive", () => {
  const stage = useStage();
  let plugin: TestPlugin;
  let old = { arn: "", keyId: "", fingerprint: "" };
  let serverId = "";
  let count = 0;
  let known: ReadonlySet<string> = new Set();

  before(async () => {
    plugin = await stage.start();
  });

  // Each test is a server of its own, with a key.
  beforeEach(async () => {
    count += 1;
    serverId = `server-${count}`;
    await plugin.configure({ key_identifier_value: serverId });
    await plugin.generate(keyId);
    old = await stage.kms.keyBehind(serverId, keyId);
    known = new Set((await stage.kms.keys()).map(({ arn }) => arn));
    stage.kms.forgetCalls();
  });

  // Whatever was lost: CreateKey went out once a GenerateKey, and no key in use is on its way out.
  afterEach(async () => {
    stage.kms.clearFaults();
    for (const [id, fingerprint] of await plugin.fingerprints()) {
      const key = await stage.kms.keyBehind(serverId, id);
      assert.equal(key.state, "Enabled", id);
      assert.equal(key.fingerprint, fingerprint, `${id}: the alias stands on the key that signs`);
      assert.equal((await signMessage(plugin, id, Buffer.from("m"), "sha256")).keyFingerprint, fingerprint);
    }
  });

  const made = async () =>
    (await stage.kms.keys())
      .filter(({ arn }) => !known.has(arn))
      .map(({ state, aliases, description }) => ({ state, aliases: aliases.length, description }));
  const description = "SPIRE_SERVER/example.org";
  const sent = (operation: string) => stage.kms.calls(operation).length;

  const losses: readonly (readonly [kind: Loss, title: string])[] = [
    ["lost-reply", "the reply is lost"],
    ["reset", "the connection breaks"],
    ["http-500", "a load balancer answers instead"],
  ];

  for (const [kind, title] of losses) {
    it(`CreateKey, ${title}: UNAVAILABLE, asked once, and the key that may be there is told of`, async () => {
      stage.kms.fault({ kind, operation: "CreateKey" });
      await expectStatus(plugin.generate(keyId), "UNAVAILABLE", /failed to create key: CreateKey/);
      assert.equal(sent("CreateKey"), 1, "a repeated CreateKey would make a second key");
      // What the stale-key scan of this trust domain looks for.
      assert.deepEqual(await made(), kind === "lost-reply" ? [{ state: "Enabled", aliases: 0, description }] : []);
      const entry = await plugin.logged(/may have created a key/, keyId);
      assert.equal(entry.level, "warn");
      assert.equal((await plugin.fingerprints()).get(keyId), old.fingerprint);
      stage.kms.clearFaults();
      await plugin.generate(keyId);
    });

    it(`UpdateAlias, ${title} once: the new key is in use`, () => assertAssigned("UpdateAlias", keyId, kind, 1));
    it(`CreateAlias, ${title} once: the new key is in use`, () => assertAssigned("CreateAlias", "new", kind, 1));

    it(`ScheduleKeyDeletion, ${title}: the key is pending deletion in the end, and once`, async () => {
      stage.kms.fault({ kind, operation: "ScheduleKeyDeletion", times: 1 });
      const { fingerprint } = await plugin.generate(keyId);
      await plugin.logged(/Key (is )?scheduled for deletion/, old.arn);
      const key = await stage.kms.key(old.arn);
      assert.equal(key.state, "PendingDeletion");
      assert.equal((await plugin.fingerprints()).get(keyId), fingerprint);
    });

    it(`Sign, ${title}: signed again`, async () => {
      stage.kms.fault({ kind, operation: "Sign", times: attempts - 1 });
      const { keyFingerprint } = await signMessage(plugin, keyId, Buffer.from("m"), "sha256");
      assert.equal(keyFingerprint, old.fingerprint);
      assert.equal(sent("Sign"), attempts);
    });
  }

  it("UpdateAlias, every reply is lost: the new key is in use, as KMS says when asked", () =>
    assertAssigned("UpdateAlias", keyId, "lost-reply", attempts));
  it("CreateAlias, every reply is lost: the new key is in use, as KMS says when asked", () =>
    assertAssigned("CreateAlias", "new", "lost-reply", attempts));

  async function assertAssigned(operation: string, id: string, kind: Loss, times: number): Promise<void> {
    const fault = stage.kms.fault({ kind, operation, times });
    const scheduled = id === keyId ? stage.kms.done("ScheduleKeyDeletion") : undefined;
    const { fingerprint } = await plugin.generate(id);
    assert.equal((await plugin.fingerprints()).get(id), fingerprint);
    assert.deepEqual(await made(), [{ state: "Enabled", aliases: 1, description }]);
    if (scheduled !== undefined) assert.deepEqual(deletionOf(await scheduled), { keyId: old.keyId, days: 7 });
    assert.equal(fault.hits, times);
    assert.equal(sent("CreateKey"), 1);
  }

  /** Hits the calls about this key id's alias. */
  const aboutAlias = (id: string) => (input: unknown) => JSON.stringify(input).includes(`/${id}"`);

  /** The state of a key once the plugin says that it is scheduled for deletion. */
  const stateWhenScheduled = async (keyArn: string) => {
    await plugin.logged(/Key (is )?scheduled for deletion/, keyArn);
    return (await stage.kms.key(keyArn)).state;
  };

  it("the alias call never reaches KMS: UNAVAILABLE, and the new key goes once that is certain", async () => {
    const cases = [
      ["reset", "UpdateAlias", keyId],
      ["http-500", "UpdateAlias", "x509-CA-B"],
      ["reset", "CreateAlias", "new-1"],
      ["http-500", "CreateAlias", "new-2"],
    ] as const;
    await plugin.generate("x509-CA-B");
    const before = await plugin.fingerprints();
    known = new Set((await stage.kms.keys()).map(({ arn }) => arn));
    stage.kms.forgetCalls();
    await Promise.all(
      cases.map(async ([kind, operation, id]) => {
        const fault = stage.kms.fault({ kind, operation, match: aboutAlias(id) });
        await expectStatus(
          plugin.generate(id),
          "UNAVAILABLE",
          /failed to (update|create) alias/,
          new RegExp(`/${id}: `),
        );
        assert.equal(fault.hits, attempts);
      }),
    );
    assert.equal(sent("CreateKey"), cases.length);
    const orphans = (await stage.kms.keys()).filter(({ arn }) => !known.has(arn));
    for (const { arn } of orphans) assert.equal(await stateWhenScheduled(arn), "PendingDeletion");
    assert.equal(orphans.length, cases.length);
    assert.equal(sent("ScheduleKeyDeletion"), cases.length, "the keys in use are not scheduled");
    assert.deepEqual(await plugin.fingerprints(), before);
  });

  it("KMS is gone while the alias is asked for: whether it has moved is found out once KMS is back", async () => {
    const moved = "moved";
    const stayed = "stayed";
    for (const id of [moved, stayed]) await plugin.generate(id);
    known = new Set((await stage.kms.keys()).map(({ arn }) => arn));
    const [oldMoved, oldStayed] = await Promise.all([moved, stayed].map((id) => stage.kms.keyBehind(serverId, id)));
    stage.kms.forgetCalls();
    stage.kms.fault({ kind: "lost-reply", operation: "UpdateAlias", match: aboutAlias(moved) });
    stage.kms.fault({ kind: "reset", operation: "UpdateAlias", match: aboutAlias(stayed) });
    stage.kms.fault({ kind: "reset", operation: "DescribeKey" });
    const call = (id: string) => expectStatus(plugin.generate(id), "UNAVAILABLE", /failed to update alias/);
    await Promise.all([moved, stayed].map(call));
    assert.deepEqual(stage.kms.calls("ScheduleKeyDeletion"), [], "nothing is thrown away on a guess");
    stage.kms.clearFaults();
    const newMoved = await stage.kms.keyBehind(serverId, moved);
    assert.notEqual(newMoved.arn, oldMoved?.arn);
    assert.equal(await stateWhenScheduled(oldMoved?.arn ?? ""), "PendingDeletion");
    const orphan = (await stage.kms.keys()).find(({ arn }) => !known.has(arn) && arn !== newMoved.arn);
    assert.equal(await stateWhenScheduled(orphan?.arn ?? ""), "PendingDeletion");
    assert.equal((await stage.kms.keyBehind(serverId, stayed)).arn, oldStayed?.arn);
    const now = await plugin.fingerprints();
    assert.equal(now.get(moved), newMoved.fingerprint);
    assert.equal(now.get(stayed), oldStayed?.fingerprint);
  });
});
