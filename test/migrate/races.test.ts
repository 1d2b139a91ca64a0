import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { KeyManagerError } from "../../src/key-manager/errors.ts";
import { migrate } from "../../src/key-manager/migration/migration.ts";
import type { Phase } from "../../src/key-manager/migration/steps.ts";
import type { Clock, Logger } from "../../src/key-manager/ports.ts";
import { awsKmsNames } from "../../src/plugin/aws-kms/names.ts";
import { kmsNames } from "../../src/plugin/kms/names.ts";
import { OriginalPlugin } from "../kms/original-plugin.ts";
import { sleeplessClock } from "../simulation/virtual-time.ts";
import { Account, type ClientOptions } from "./engine-kms.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const names = { from: kmsNames("SERVER_A/"), to: awsKmsNames("example.org", "s1") };
const keyId = "x509-CA-A";
const [oldAlias, newAlias] = [names.from.aliasFor(keyId), names.to.aliasFor(keyId)];

describe("a server that changes its keys while a migration is at work", () => {
  let account: Account;
  let waits: number[];
  let clock: Clock;

  const run = (phase: Phase, meddle?: ClientOptions["meddle"]) => {
    const { kms } = account.client(meddle === undefined ? {} : { meddle });
    return migrate(phase, { kms, names, clock, log: silent });
  };
  /** Another process's change, right before the first call of this operation on this alias. */
  const once = (operation: string, aliasName: string, change: () => Promise<unknown>): ClientOptions["meddle"] => {
    let isDone = false;
    return async (called, input) => {
      const { KeyId, AliasName } = input as { KeyId?: string; AliasName?: string };
      if (isDone || called !== operation || (KeyId ?? AliasName) !== aliasName) return;
      isDone = true;
      await change();
    };
  };
  const aliases = async () =>
    Object.fromEntries((await account.aliases()).map((alias) => [alias.aliasName, alias.targetKeyId]));
  const changed = (words: RegExp) => (error: unknown) =>
    error instanceof KeyManagerError && error.code === "FAILED_PRECONDITION" && words.test(error.message);

  /** A rotation as aws_kms makes it. */
  async function rotate(aliasName: string): Promise<string> {
    const { KeyMetadata } = await account.call<{ KeyMetadata: { KeyId: string } }>("CreateKey", {
      Description: "SPIRE_SERVER/example.org",
      KeyUsage: "SIGN_VERIFY",
      KeySpec: "ECC_NIST_P256",
    });
    const before = (await aliases())[aliasName];
    await account.call("UpdateAlias", { AliasName: aliasName, TargetKeyId: KeyMetadata.KeyId });
    await account.call("ScheduleKeyDeletion", { KeyId: before, PendingWindowInDays: 7 });
    return KeyMetadata.KeyId;
  }

  beforeEach(async () => {
    account = new Account();
    waits = [];
    clock = sleeplessClock({ now: () => account.now, random: 0.5, slept: waits });
    await new OriginalPlugin(account, "SERVER_A/").generate(keyId);
  });

  it("keeps the old alias when the new one has been moved by a rotation", async () => {
    await run("apply");
    // The look at the new alias before the old one is removed comes after discovery, which asks by key id.
    await assert.rejects(
      run(
        "finish",
        once("DescribeKey", newAlias, () => rotate(newAlias)),
      ),
      changed(/^alias alias\/SPIRE_SERVER\/example_org\/s1\/x509-CA-A stands on another key by now/),
    );
    assert.ok(oldAlias in (await aliases()));
    // By then it stands on the replaced key, and the next run knows that.
    assert.deepEqual((await run("finish")).refusals, []);
    assert.deepEqual(Object.keys(await aliases()), [newAlias]);
  });

  it("keeps the old alias when the new one was deleted", async () => {
    await run("apply");
    const remove = () => account.call("DeleteAlias", { AliasName: newAlias });
    await assert.rejects(run("finish", once("DescribeKey", newAlias, remove)), changed(/was deleted in the meantime/));
    assert.deepEqual(Object.keys(await aliases()), [oldAlias]);
  });

  it("does not remove an alias that has been moved", async () => {
    await run("apply");
    await assert.rejects(
      run(
        "finish",
        once("DescribeKey", oldAlias, () => rotate(oldAlias)),
      ),
      changed(/alias alias\/SERVER_A\/x509-CA-A stands on another key by now/),
    );
    assert.deepEqual(Object.keys(await aliases()).sort(), [oldAlias, newAlias].sort());
  });

  it("does not put an alias back that a server moves while it would be refreshed", async () => {
    await run("apply");
    account.control.advance(2 * 86_400_000);
    let rotated = "";
    const move = async () => {
      rotated = await rotate(newAlias);
    };
    await assert.rejects(run("apply", once("DescribeKey", newAlias, move)), changed(/stands on another key by now/));
    assert.equal((await aliases())[newAlias], rotated);
  });

  it("takes an alias for its own whose answer was lost", async () => {
    const target = (await aliases())[oldAlias];
    const twin = () => account.call("CreateAlias", { AliasName: newAlias, TargetKeyId: target });
    assert.equal((await run("apply", once("CreateAlias", newAlias, twin))).isVerified, true);
  });

  it("says what the new plugin does not find, and waits a while for it", async () => {
    const hide = async () => account.call("DisableKey", { KeyId: (await aliases())[oldAlias] });
    const { kms } = account.client();
    const disabling = {
      ...kms,
      createAlias: async (...call: Parameters<typeof kms.createAlias>) => {
        const receipt = await kms.createAlias(...call);
        await hide();
        return receipt;
      },
    };
    const { refusals, isVerified } = await migrate("apply", { kms: disabling, names, clock, log: silent });
    assert.equal(isVerified, false);
    assert.match(refusals[0] ?? "", /^key "x509-CA-A" \(arn:.*\) is not found under its new name$/);
    assert.deepEqual(waits, [500, 1_000, 2_000, 4_000]);
  });

  it("finishes nothing that the new plugin does not find", async () => {
    await run("apply");
    const { kms } = account.client();
    let listings = 0;
    // KMS shows the new alias to the first look, and not to discovery.
    const forgetful: typeof kms = {
      ...kms,
      async *listAliases() {
        listings++;
        for await (const page of kms.listAliases()) {
          yield listings === 1
            ? page
            : { ...page, items: page.items.filter(({ aliasName }) => aliasName !== newAlias) };
        }
      },
    };
    const { refusals } = await migrate("finish", { kms: forgetful, names, clock, log: silent });
    assert.match(refusals[0] ?? "", /is not found under its new name$/);
    assert.deepEqual(Object.keys(await aliases()).sort(), [oldAlias, newAlias].sort());
  });
});
