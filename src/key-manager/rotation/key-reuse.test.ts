/** Keys of failed generations serve the next one, only where that is certain; `max_live_keys` bounds the rest. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accountWithJournal,
  aliases,
  aliasOf,
  arnOf,
  callsOf,
  generate,
  hourMs,
  lines,
  minuteMs,
  startServer,
  stateOf,
  tagMode,
} from "../../../test/simulation/scenes.ts";
import type { SimulatedAccount } from "../../../test/simulation/simulated-account.ts";
import type { SimulatedServer } from "../../../test/simulation/simulated-server.ts";
import type { KeyManagerError } from "../errors.ts";

const created = (account: SimulatedAccount): readonly string[] =>
  callsOf(account, "CreateKey").map(({ output }) => (output as { KeyMetadata: { Arn: string } }).KeyMetadata.Arn);

/** Lets these operations fail until it is called again. */
function fail(account: SimulatedAccount, fates: Readonly<Record<string, "throttled" | "lost">>): void {
  account.fateOf = (_, operation) => fates[operation];
}

const refused = (server: SimulatedServer) =>
  assert.rejects(generate(server), (error: KeyManagerError) => error.code === "RESOURCE_EXHAUSTED");

describe("a key whose generation failed while KMS took no deletion", () => {
  it("serves the next generation, and the one after that, instead of many", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    fail(account, { CreateAlias: "throttled", ScheduleKeyDeletion: "throttled" });
    for (let turn = 0; turn < 10; turn++) {
      await refused(server);
      await account.time.run(minuteMs);
    }
    assert.equal(created(account).length, 1);
    fail(account, {});
    const arn = await generate(server);
    assert.equal(arn, created(account)[0]);
    await account.time.run(25 * hourMs);
    assert.equal(await stateOf(account, arn), "Enabled");
    assert.equal(`arn:aws:kms:us-east-1:111122223333:key/${(await aliases(account)).get(aliasOf("a"))}`, arn);
    assert.equal(lines(server, /^Using the key of a generation that failed$/, "info").length, 10);
  });

  it("is scheduled for deletion at once where KMS takes it, and then not used again", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    fail(account, { CreateAlias: "throttled" });
    await refused(server);
    await account.time.run(minuteMs);
    assert.equal(await stateOf(account, created(account)[0] ?? ""), "PendingDeletion");
    fail(account, {});
    await generate(server);
    assert.equal(created(account).length, 2);
  });

  it("is not used when the answer to ScheduleKeyDeletion was lost: it may be pending deletion", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    fail(account, { CreateAlias: "throttled", ScheduleKeyDeletion: "lost" });
    await refused(server);
    fail(account, { ScheduleKeyDeletion: "lost" });
    await account.time.run(500);
    const arn = await generate(server);
    assert.equal(created(account).length, 2);
    assert.equal(arn, created(account)[1]);
  });

  it("is not used for another key type, nor by another configuration", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    fail(account, { CreateAlias: "throttled", ScheduleKeyDeletion: "throttled" });
    await refused(server);
    await account.time.run(minuteMs);
    fail(account, { ScheduleKeyDeletion: "throttled" });
    await account.time.until(server.generate("x509-CA-B", "ec-p384"));
    assert.equal(created(account).length, 2);
    await account.time.until(server.configure());
    await generate(server);
    assert.equal(created(account).length, 3);
  });

  it("is not used in tag mode, where scheduling it has marked it", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a", tagMode);
    fail(account, { CreateAlias: "throttled", ScheduleKeyDeletion: "throttled" });
    await refused(server);
    await account.time.run(minuteMs);
    fail(account, {});
    await generate(server);
    assert.equal(created(account).length, 2);
  });

  it("is not used when it was disabled meanwhile", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    fail(account, { CreateAlias: "throttled", ScheduleKeyDeletion: "throttled" });
    await refused(server);
    await account.call("DisableKey", { KeyId: created(account)[0] });
    await account.time.run(5_000);
    fail(account, { ScheduleKeyDeletion: "throttled" });
    assert.equal(await generate(server), created(account)[1]);
    fail(account, {});
    await account.time.run(hourMs);
    assert.equal(await stateOf(account, created(account)[0] ?? ""), "PendingDeletion");
  });
});

describe("a key whose caller had given up when it stood", () => {
  /** A server whose rotation was finished after its caller had given up. */
  async function withUndeliveredKey(settings = {}) {
    const account = accountWithJournal();
    const server = await startServer(account, "a", settings, { latencyMs: 400 });
    await generate(server);
    let giveUp: (() => void) | undefined;
    account.fateOf = (_, operation) => {
      if (operation === "UpdateAlias") giveUp?.();
      return undefined;
    };
    const controller = new AbortController();
    giveUp = () => controller.abort(new Error("deadline exceeded"));
    const outcome = server.keyManager.generateKey("x509-CA-A", "ec-p256", controller.signal);
    await assert.rejects(account.time.until(outcome), /deadline exceeded/);
    giveUp = undefined;
    await account.time.run(minuteMs);
    const arn = created(account)[1] ?? "";
    assert.equal(arnOf(server), arn, "the rotation was carried through");
    return { account, server, arn };
  }

  it("is handed out to the next caller, once", async () => {
    const { account, server, arn } = await withUndeliveredKey();
    assert.equal(await generate(server), arn);
    assert.equal(created(account).length, 2);
    assert.equal(await generate(server), created(account)[2]);
  });

  it("is not used again for another key type", async () => {
    const { account, server } = await withUndeliveredKey();
    await account.time.until(server.generate("x509-CA-A", "ec-p384"));
    assert.equal(created(account).length, 3);
  });

  for (const [what, learn] of [
    ["looked up", (server: SimulatedServer) => server.keyManager.getPublicKey("x509-CA-A")],
    ["listed", (server: SimulatedServer) => server.keyManager.getPublicKeys()],
    [
      "used",
      (server: SimulatedServer) =>
        server.keyManager.signData("x509-CA-A", Buffer.alloc(32), { hashAlgorithm: "SHA256" }),
    ],
  ] as const) {
    it(`is not handed out again once it was ${what}`, async () => {
      const { account, server } = await withUndeliveredKey();
      await account.time.until(Promise.resolve(learn(server)));
      await generate(server);
      assert.equal(created(account).length, 3);
    });
  }

  it("is not handed out when the alias has moved on", async () => {
    const { account, server } = await withUndeliveredKey();
    const other = created(account)[0] ?? "";
    await account.call("CancelKeyDeletion", { KeyId: other });
    await account.call("EnableKey", { KeyId: other });
    await account.call("UpdateAlias", { AliasName: aliasOf("a"), TargetKeyId: other });
    assert.equal(await generate(server), created(account)[2]);
  });
});

describe("max_live_keys", () => {
  const settings = { max_live_keys: { number: "2" } };

  it("lets no more ids come, says so, and lets those that are there rotate", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a", settings);
    await generate(server, "x509-CA-A");
    await generate(server, "x509-CA-B");
    await assert.rejects(generate(server, "JWT-Signer-A"), (error: KeyManagerError) => {
      assert.equal(error.code, "RESOURCE_EXHAUSTED");
      assert.match(error.message, /2 keys in use and 0 still .* max_live_keys is 2; .*raise the setting/);
      return true;
    });
    assert.equal(lines(server, /^No more keys are created/, "error").length, 1);
    assert.equal(created(account).length, 2);
    for (let turn = 0; turn < 3; turn++) {
      await generate(server, "x509-CA-A");
      await account.time.run(minuteMs);
    }
    assert.equal(created(account).length, 5);
  });

  it("stops rotations that leave one key after the other, until KMS takes them", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a", settings);
    await generate(server);
    fail(account, { ScheduleKeyDeletion: "throttled" });
    await generate(server);
    await assert.rejects(generate(server, "x509-CA-B"), /1 keys in use and 1 still .*kms:ScheduleKeyDeletion/);
    await generate(server);
    await assert.rejects(generate(server), /max_live_keys is 2/);
    fail(account, {});
    await account.time.run(hourMs);
    await generate(server);
  });
});
