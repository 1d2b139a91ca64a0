import assert from "node:assert/strict";
import { afterEach, before, beforeEach, describe, it } from "node:test";
import type { Fault } from "../../../src/kms-emulator/index.ts";
import { deletionOf } from "../harness/kms-view.ts";
import { signMessage } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

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

  // Whatever was lost: CreateKey went out once a GenerateKey, and no key in use is pending deletion.
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

  interface UncertainCase {
    readonly id: string;
    readonly operation: "CreateAlias" | "UpdateAlias";
    readonly kind: Loss;
    /** KMS cannot be asked either where the alias points. */
    readonly isBlind?: boolean;
  }

  /** Side by side, since the plugin takes its time to believe that an alias does not stand on a key. */
  const uncertain: readonly UncertainCase[] = [
    { id: "never-1", operation: "UpdateAlias", kind: "reset" },
    { id: "never-2", operation: "UpdateAlias", kind: "http-500" },
    { id: "never-3", operation: "CreateAlias", kind: "reset" },
    { id: "never-4", operation: "CreateAlias", kind: "http-500" },
    { id: "blind-stayed", operation: "UpdateAlias", kind: "reset", isBlind: true },
    { id: "blind-moved", operation: "UpdateAlias", kind: "lost-reply", isBlind: true },
    { id: "blind-none", operation: "CreateAlias", kind: "reset", isBlind: true },
    { id: "blind-made", operation: "CreateAlias", kind: "lost-reply", isBlind: true },
  ];

  it("where the alias points is not known: UNAVAILABLE, and nothing is thrown away until it is", async () => {
    for (const { id, operation } of uncertain) if (operation === "UpdateAlias") await plugin.generate(id);
    const before = await plugin.fingerprints();
    known = new Set((await stage.kms.keys()).map(({ arn }) => arn));
    stage.kms.forgetCalls();
    const blinds = uncertain.flatMap(({ id, operation, kind, isBlind = false }) => {
      stage.kms.fault({ kind, operation, match: aboutAlias(id) });
      return isBlind ? [stage.kms.fault({ kind: "reset", operation: "DescribeKey", match: aboutAlias(id) })] : [];
    });
    const refused = uncertain.map(({ id }) =>
      expectStatus(plugin.generate(id), "UNAVAILABLE", /failed to (update|create) alias/, new RegExp(`/${id}: `)),
    );
    await Promise.all(refused);
    assert.equal(sent("CreateKey"), uncertain.length);
    for (const blind of blinds) blind.remove();

    // In the end each id has the key that its alias stands on, and the other one goes.
    const goes: string[] = [];
    for (const { id, operation, kind } of uncertain) {
      const isMoved = kind === "lost-reply";
      const standing = operation === "UpdateAlias" || isMoved ? await stage.kms.keyBehind(serverId, id) : undefined;
      assert.equal(standing !== undefined && standing.fingerprint !== before.get(id), isMoved, id);
    }
    const keys = await stage.kms.keys();
    for (const { arn, aliases, fingerprint } of keys) {
      const isOfThisTest = !known.has(arn) || [...before.values()].includes(fingerprint);
      if (isOfThisTest && aliases.length === 0) goes.push(arn);
    }
    // An alias that was made for the first time leaves no key over.
    assert.equal(goes.length, uncertain.length - 1);
    for (const arn of goes) assert.equal(await stateWhenScheduled(arn), "PendingDeletion");
    assert.equal(sent("ScheduleKeyDeletion"), goes.length, "the keys in use are not scheduled");
    for (const id of ["blind-moved", "blind-made"]) await plugin.logged(/the new key is in use/, `/${id}"`);
    const now = await plugin.fingerprints();
    for (const id of ["never-1", "never-2", "blind-stayed"]) assert.equal(now.get(id), before.get(id), id);
    for (const id of ["never-3", "never-4", "blind-none"]) assert.equal(now.has(id), false, id);
    for (const id of ["blind-moved", "blind-made"]) {
      assert.equal(now.get(id), (await stage.kms.keyBehind(serverId, id)).fingerprint, id);
    }
  });
});
