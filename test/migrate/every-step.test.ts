import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { discoverByAlias } from "../../src/key-manager/discovery/alias-discovery.ts";
import type { MigrationNames } from "../../src/key-manager/migration/compare-names.ts";
import { migrate } from "../../src/key-manager/migration/migration.ts";
import type { Phase } from "../../src/key-manager/migration/steps.ts";
import type { KeyNames } from "../../src/key-manager/names.ts";
import type { Logger } from "../../src/key-manager/ports.ts";
import { awsKmsNames } from "../../src/plugin/aws-kms/names.ts";
import { kmsNames } from "../../src/plugin/kms/names.ts";
import { OriginalPlugin } from "../kms/original-plugin.ts";
import { sleeplessClock } from "../simulation/virtual-time.ts";
import { Account, type StopAt } from "./engine-kms.ts";
import { type AccountState, liveThrough, type ScheduledKey, type Server } from "./pruning-model.ts";

const trustDomain = "example.org";
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
/** The server itself, one of the same trust domain, and two whose names begin alike. */
const others: readonly Server[] = [
  { trustDomain, serverId: "other" },
  { trustDomain: "example", serverId: "s1" },
  { trustDomain: "x509", serverId: "s1" },
];
const self: Server = { trustDomain, serverId: "s1" };

/** A server's old names, and how its keys were made under them. */
interface Origin {
  readonly title: string;
  readonly names: MigrationNames;
  readonly oldServer: Server | undefined;
  prepare(account: Account): Promise<void>;
}

const kmsOrigin = (keyPrefix: string): Origin => ({
  title: `from the kms plugin, key_prefix ${keyPrefix}`,
  names: { from: kmsNames(keyPrefix), to: awsKmsNames(trustDomain, "s1") },
  oldServer: undefined,
  async prepare(account) {
    const original = new OriginalPlugin(account, keyPrefix);
    for (const keyId of ["x509-CA-A", "x509-CA-A", "JWT-Signer-A"]) await original.generate(keyId);
    const disabled = await original.generate("x509-CA-old");
    await account.call("DisableKey", { KeyId: disabled.arn });
    await new OriginalPlugin(account, "SERVER_B/").generate("x509-CA-A");
  },
});

const builtInOrigin: Origin = {
  title: "from another server id of aws_kms",
  names: { from: awsKmsNames(trustDomain, "s0"), to: awsKmsNames(trustDomain, "s1") },
  oldServer: { trustDomain, serverId: "s0" },
  async prepare(account) {
    for (const [keyId, description] of [
      ["x509-CA-A", "SPIRE_SERVER/example.org"],
      ["JWT-Signer-A", "SPIRE_SERVER_KEY/example_org/JWT-Signer-A"],
    ] as const) {
      const { KeyMetadata } = await account.call<{ KeyMetadata: { Arn: string } }>("CreateKey", {
        Description: description,
        KeyUsage: "SIGN_VERIFY",
        KeySpec: "ECC_NIST_P256",
      });
      await account.call("CreateAlias", {
        AliasName: builtInOrigin.names.from.aliasFor(keyId),
        TargetKeyId: KeyMetadata.Arn,
      });
    }
  },
};

const dayMs = 86_400_000;

/** Patience costs no time here. */
const clockOf = (account: Account) => sleeplessClock({ now: () => account.now, random: 0.5 });

async function stateOf(account: Account): Promise<AccountState> {
  return { aliases: await account.aliases(), keys: await account.keys(), now: account.now };
}

async function fingerprints(account: Account, names: KeyNames): Promise<ReadonlyMap<string, string>> {
  const { entries } = await discoverByAlias({ kms: account.client().kms, names, log: silent, signal: undefined });
  return new Map([...entries.values()].map(({ keyId, fingerprint }) => [keyId, fingerprint]));
}

const names = async (account: Account) =>
  (await account.aliases()).map(({ aliasName, targetKeyId }) => `${aliasName} ${targetKeyId}`).sort();

const keyStates = async (account: Account) =>
  (await account.keys()).map(({ arn, keyState }) => `${arn} ${keyState}`).sort();

for (const origin of [kmsOrigin("SERVER_A/"), kmsOrigin("SPIRE_SERVER_KEY/"), builtInOrigin]) {
  describe(`migration ${origin.title}`, () => {
    /** Dumps of the account before each phase. */
    const starts = new Map<Phase, unknown>();
    let expected: ReadonlyMap<string, string>;
    let statesBefore: readonly string[];

    const accountBefore = (phase: Phase): Account => {
      const account = new Account();
      account.control.load(starts.get(phase));
      return account;
    };

    const run = (phase: Phase, account: Account, stopAt?: StopAt) => {
      const { kms, stopped, calls } = account.client({ stopAt });
      const done = migrate(phase, { kms, names: origin.names, clock: clockOf(account), log: silent });
      return { done, stopped, calls };
    };

    before(async () => {
      const account = new Account();
      await origin.prepare(account);
      expected = await fingerprints(account, origin.names.from);
      assert.deepEqual([...expected.keys()].sort(), ["JWT-Signer-A", "x509-CA-A"]);
      statesBefore = await keyStates(account);
      starts.set("apply", account.control.dump());
      assert.deepEqual((await run("apply", account).done).refusals, []);
      starts.set("finish", account.control.dump());
      starts.set("back", account.control.dump());
    });

    /** The plugin that signs while a phase is under way must find every key at any moment. */
    const signing: Readonly<Record<Phase, KeyNames>> = {
      apply: origin.names.from,
      finish: origin.names.to,
      back: origin.names.from,
    };

    /** Which servers refresh, while a phase is under way and the operator is away. */
    const running: Readonly<Record<Phase, readonly Server[]>> = {
      apply: origin.oldServer === undefined ? [] : [origin.oldServer],
      finish: [self],
      back: origin.oldServer === undefined ? [] : [origin.oldServer],
    };

    async function prunedWithin(
      account: Account,
      days: number,
      running: readonly Server[],
    ): Promise<readonly ScheduledKey[]> {
      const used = new Set(
        (await account.keys()).filter(({ keyState }) => keyState === "Enabled").map(({ arn }) => arn),
      );
      const found = liveThrough(await stateOf(account), { days, running, pruning: [...others, self] });
      return found.filter(({ keyArn }) => used.has(keyArn));
    }

    /** From here the operator may as well go back; the account itself is left as it is. */
    async function assertTurnsBack(account: Account, at: string): Promise<void> {
      const back = new Account();
      back.control.load(account.control.dump());
      const { refusals, isVerified } = await run("back", back).done;
      assert.deepEqual({ refusals, isVerified }, { refusals: [], isVerified: true }, at);
      assert.deepEqual(await fingerprints(back, origin.names.from), expected, at);
      assert.deepEqual(await fingerprints(back, origin.names.to), new Map(), at);
      assert.deepEqual(await keyStates(back), statesBefore, at);
    }

    for (const phase of ["apply", "finish", "back"] as const) {
      it(`${phase}: stopped at every call, no key is lost; run again, it arrives`, async () => {
        const whole = accountBefore(phase);
        const { done, calls } = run(phase, whole);
        assert.deepEqual((await done).refusals, []);
        const arrived = await names(whole);
        assert.ok(calls() > 10);
        const seen = new Set<string>();
        for (let call = 1; call <= calls(); call++) {
          for (const when of ["before", "after"] as const) {
            const account = accountBefore(phase);
            const { done: dead, stopped } = run(phase, account, { call, when });
            await Promise.race([stopped, dead]);
            const at = `${phase} stopped ${when} call ${call}`;
            const left = (await names(account)).join();
            // Most calls only read: what they leave has been judged already.
            if (seen.has(left)) continue;
            seen.add(left);
            assert.deepEqual(await fingerprints(account, signing[phase]), expected, at);
            assert.deepEqual(await keyStates(account), statesBefore, at);
            // A day short of two weeks, after which what no server refreshes is pruned: documented, and tested below.
            assert.deepEqual(await prunedWithin(account, 13, running[phase]), [], at);

            if (phase !== "back" && left !== arrived.join()) await assertTurnsBack(account, at);

            const again = await run(phase, account).done;
            assert.deepEqual(again.refusals, [], at);
            assert.equal(again.isVerified, true, at);
            assert.deepEqual(await names(account), arrived, at);
            assert.deepEqual(await keyStates(account), statesBefore, at);
          }
        }
        assert.equal(seen.size, 3, "before, between and after the changes of two aliases");
      });
    }

    it("keeps every key for 30 days once the server runs under its new names and the old ones are removed", async () => {
      const account = accountBefore("finish");
      await run("finish", account).done;
      assert.deepEqual(await prunedWithin(account, 30, [self]), []);
      assert.deepEqual(await fingerprints(account, origin.names.to), expected);
    });

    it("keeps every key for 30 days between apply and finish, if apply is run once a week", async () => {
      const account = accountBefore("finish");
      const seasons = [running.apply, [self]];
      for (const running of seasons) {
        for (let week = 0; week < 5; week++) {
          assert.deepEqual(await prunedWithin(account, 7, running), []);
          account.control.advance(7 * dayMs);
          assert.deepEqual((await run("apply", account).done).refusals, []);
        }
      }
      assert.deepEqual(await fingerprints(account, origin.names.to), expected);
      assert.deepEqual(await fingerprints(account, origin.names.from), expected);
    });

    it("is warned of what two weeks of waiting would cost: the built-in's rules, and none of ours", async () => {
      const account = accountBefore("finish");
      const { refreshBefore } = await run("apply", account).done;
      const [first] = await prunedWithin(account, 30, running.apply);
      assert.equal(first?.rule, "stale alias");
      assert.equal(first?.by, "built-in");
      const deadline = ((refreshBefore?.getTime() ?? 0) - account.now.getTime()) / dayMs;
      assert.equal(first?.day, Math.ceil(deadline * 4) / 4);
      const ours = (await prunedWithin(account, 60, running.apply)).filter(({ by }) => by === "ours");
      assert.deepEqual(ours, []);
    });

    it("goes back with the keys that were rotated under the new names", async () => {
      const account = accountBefore("back");
      const aliasName = origin.names.to.aliasFor("x509-CA-A");
      const { KeyMetadata: old } = await account.call<{ KeyMetadata: { Arn: string } }>("DescribeKey", {
        KeyId: aliasName,
      });
      const { KeyMetadata: made } = await account.call<{ KeyMetadata: { Arn: string } }>("CreateKey", {
        Description: "SPIRE_SERVER/example.org",
        KeyUsage: "SIGN_VERIFY",
        KeySpec: "ECC_NIST_P256",
      });
      await account.call("UpdateAlias", { AliasName: aliasName, TargetKeyId: made.Arn });
      await account.call("ScheduleKeyDeletion", { KeyId: old.Arn, PendingWindowInDays: 7 });
      const rotated = await fingerprints(account, origin.names.to);
      assert.notEqual(rotated.get("x509-CA-A"), expected.get("x509-CA-A"));

      assert.deepEqual((await run("back", account).done).refusals, []);
      assert.deepEqual(await fingerprints(account, origin.names.from), rotated);
      assert.deepEqual(await fingerprints(account, origin.names.to), new Map());

      assert.deepEqual((await run("apply", account).done).refusals, []);
      assert.deepEqual((await run("finish", account).done).refusals, []);
      assert.deepEqual(await fingerprints(account, origin.names.to), rotated);
      assert.deepEqual(await prunedWithin(account, 30, [self]), []);
    });
  });
}
