/**
 * Whose key is it? Every path that schedules a deletion × every owner that a key can have by what KMS shows of it.
 *
 * The account is looked at from KMS's side: a key is ours only if this server made it, or a server of this trust domain
 * did that runs no more. Everything else must be Enabled at the end.
 */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { KmsClient } from "../../src/key-manager/ports.ts";
import { Sweep } from "../chaos/report.ts";
import {
  accountWithJournal,
  aliasOf,
  dayMs,
  generate,
  hourMs,
  lines,
  operatorKey,
  ownDescription as own,
  soonScans,
  startServer,
  stateOf,
  tagMode,
  tagsOfServerB,
} from "../simulation/scenes.ts";
import type { SimulatedAccount } from "../simulation/simulated-account.ts";
import type { Settings, SimulatedServer } from "../simulation/simulated-server.ts";

const builtIn = "SPIRE_SERVER_KEY/example_org/x509-CA-A";

interface Owner {
  readonly description: string;
  /** More members of CreateKey. */
  readonly more?: object;
  /** What is done to the key beside its alias. */
  readonly act?: (account: SimulatedAccount, keyArn: string) => Promise<unknown>;
}

const alias = (AliasName: string) => (account: SimulatedAccount, TargetKeyId: string) =>
  account.call("CreateAlias", { AliasName, TargetKeyId });

/** Keys that are not this server's to delete, whatever stands behind its alias. */
const foreign: Readonly<Record<string, Owner>> = {
  "a foreign description": { description: "signs the payroll" },
  "a description that only begins like ours": { description: `${own}ic` },
  "another trust domain's description": { description: "SPIRE_SERVER/example.com" },
  "no description": { description: "" },
  "a user's own alias beside ours": { description: own, act: alias("alias/payroll") },
  "another live server's fresh alias beside ours": { description: own, act: alias(aliasOf("other")) },
  "a key for encryption": { description: own, more: { KeySpec: "SYMMETRIC_DEFAULT", KeyUsage: "ENCRYPT_DECRYPT" } },
  "a key spec that is not SPIRE's": { description: own, more: { KeySpec: "ECC_SECG_P256K1" } },
  "a multi-Region key with a replica": {
    description: own,
    more: { MultiRegion: true },
    act: (account, KeyId) => account.call("ReplicateKey", { KeyId, ReplicaRegion: "eu-west-1" }),
  },
};

/** A server whose alias stands on a key of that owner, from the start or moved there by a user. */
async function behindOurAlias(owner: Owner, when: "at start" | "moved there", settings: Settings) {
  const account = accountWithJournal();
  const make = () => operatorKey(account, owner.description, undefined, owner.more);
  if (when === "at start") {
    const keyArn = await make();
    await alias(aliasOf("a"))(account, keyArn);
    await owner.act?.(account, keyArn);
    return { account, keyArn, server: await startServer(account, "a", settings) };
  }
  const server = await startServer(account, "a", settings);
  await generate(server);
  await account.time.run(hourMs);
  const keyArn = await make();
  await account.call("UpdateAlias", { AliasName: aliasOf("a"), TargetKeyId: keyArn });
  await owner.act?.(account, keyArn);
  // The refresh follows the alias where it can.
  await account.time.run(7 * hourMs);
  return { account, keyArn, server };
}

/** KMS points no alias from a key for encryption at one that signs, so such a key cannot be replaced at all. */
const cannotBeReplaced = "a key for encryption";

/** What became of each key, by its owner and by the path that met it. */
const sweep = new Sweep("owners", "the key has, or is");
after(() => sweep.report());

const ours = "our description, and no alias but the rule's own";
const modes = [
  ["by aliases", {}],
  ["by tags", tagMode],
] as const;

const rotate = async (server: SimulatedServer) => {
  await generate(server);
  await server.options.account.time.run(2 * dayMs);
};

describe("a key that GenerateKey replaces stays when it is not certainly ours", () => {
  for (const [mode, settings] of modes) {
    for (const when of ["at start", "moved there"] as const) {
      for (const [title, owner] of Object.entries(foreign)) {
        if (title === cannotBeReplaced) continue;
        it(`${mode}, ${when}: ${title}`, async () => {
          const { account, keyArn, server } = await behindOurAlias(owner, when, settings);
          await rotate(server);
          const state = await stateOf(account, keyArn);
          sweep.saw(title, `rotated ${mode}`, state);
          assert.equal(state, "Enabled");
          assert.equal(lines(server, /^Failed to schedule/).length, 0);
        });
      }
    }
  }

  it(`${cannotBeReplaced}: GenerateKey fails, and the key stays`, async () => {
    const { account, keyArn, server } = await behindOurAlias(foreign[cannotBeReplaced] as Owner, "at start", {});
    await assert.rejects(generate(server), { code: "FAILED_PRECONDITION" });
    await account.time.run(2 * dayMs);
    assert.equal(await stateOf(account, keyArn), "Enabled");
  });

  it("and goes when it is: by either plugin's description, with nothing but our alias", async () => {
    for (const [mode, settings] of modes) {
      for (const description of [own, builtIn, "SPIRE_SERVER_KEY/x509-CA-A"]) {
        const { account, keyArn, server } = await behindOurAlias({ description }, "at start", settings);
        await rotate(server);
        const state = await stateOf(account, keyArn);
        if (description === own) sweep.saw(ours, `rotated ${mode}`, state);
        assert.equal(state, "PendingDeletion", description);
      }
    }
  });

  it("and goes with the alias of the older kms plugin still on it, as a migration leaves it", async () => {
    const owner = { description: "SERVER_A/x509-CA-A", act: alias("alias/SERVER_A/x509-CA-A") };
    const { account, keyArn, server } = await behindOurAlias(owner, "at start", {});
    await rotate(server);
    assert.equal(await stateOf(account, keyArn), "PendingDeletion");
  });

  it("what is spared is warned of, with the reason, and does not count toward max_live_keys", async () => {
    const owner = { description: "signs the payroll" };
    const { server } = await behindOurAlias(owner, "at start", { max_live_keys: { number: "1" } });
    for (let round = 0; round < 3; round++) await rotate(server);
    const [line, ...more] = lines(server, /is to stay after all/, "warn");
    assert.match(String(line?.fields.reason), /"signs the payroll" is not one of this server's keys/);
    assert.deepEqual(more, []);
    assert.equal(server.keyManager.gauges.deletionsQueued, 0);
  });
});

describe("a look that KMS denies or throttles", () => {
  for (const fate of ["throttled", "reset"] as const) {
    for (const operation of ["ListAliases", "DescribeKey"] as const) {
      it(`${operation} ${fate}: the rotation succeeds, the deletion waits and says so, and is done later`, async () => {
        const account = accountWithJournal();
        const server = await startServer(account, "a");
        const old = await generate(server);
        account.fateOf = (_, called) => (called === operation ? fate : undefined);
        const fresh = await generate(server);
        assert.notEqual(fresh, old);
        await account.time.run(hourMs);
        assert.equal(await stateOf(account, old), "Enabled");
        assert.ok(lines(server, /^Failed to schedule key deletion; it will be tried again/, "warn").length >= 1);
        account.fateOf = () => undefined;
        await account.time.run(hourMs);
        assert.equal(await stateOf(account, old), "PendingDeletion");
      });
    }
  }
});

describe("what the scans find stays when no plugin of SPIRE can have made it, or it may be another's", () => {
  const owners = Object.entries(foreign).filter(([title]) => title !== "another live server's fresh alias beside ours");
  for (const [title, owner] of owners) {
    it(`behind a stale alias of another server: ${title}`, async () => {
      const account = accountWithJournal();
      const keyArn = await operatorKey(account, owner.description, aliasOf("b"), owner.more);
      await owner.act?.(account, keyArn);
      await account.time.run(3 * dayMs);
      const server = await startServer(account, "a", soonScans);
      await account.time.run(5 * dayMs);
      const state = await stateOf(account, keyArn);
      sweep.saw(title, "stale alias", state);
      assert.equal(state, "Enabled");
      assert.equal(lines(server, /^Task failed/).length, 0);
    });

    it(`without our alias: ${title}`, async () => {
      const account = accountWithJournal();
      const keyArn = await operatorKey(account, owner.description, undefined, owner.more);
      await owner.act?.(account, keyArn);
      await startServer(account, "a", soonScans);
      await account.time.run(5 * dayMs);
      const state = await stateOf(account, keyArn);
      sweep.saw(title, "stale key", state);
      assert.equal(state, "Enabled");
    });
  }

  for (const [rule, active] of [
    ["stale tags", "true"],
    ["inactive", "false"],
  ] as const) {
    const byTags = async (owner: Owner) => {
      const account = accountWithJournal();
      const Tags = tagsOfServerB({ active });
      const keyArn = await operatorKey(account, owner.description, undefined, { ...owner.more, Tags });
      await owner.act?.(account, keyArn);
      await account.time.run(3 * dayMs);
      await startServer(account, "a", { ...soonScans, ...tagMode });
      await account.time.run(5 * dayMs);
      return stateOf(account, keyArn);
    };
    for (const [title, owner] of owners) {
      it(`${rule}: ${title}`, async () => {
        const state = await byTags(owner);
        sweep.saw(title, rule, state);
        assert.equal(state, "Enabled");
      });
    }

    it(`${rule}, and goes when it is ours`, async () => {
      const state = await byTags({ description: own });
      sweep.saw(ours, rule, state);
      assert.equal(state, "PendingDeletion");
    });
  }

  it("and goes when it is ours: behind a stale alias, and without any", async () => {
    const account = accountWithJournal();
    const stale = await operatorKey(account, own, aliasOf("b"));
    const orphan = await operatorKey(account, own);
    const lone = await operatorKey(account, own, undefined, { MultiRegion: true });
    await account.time.run(3 * dayMs);
    await startServer(account, "a", soonScans);
    await account.time.run(5 * dayMs);
    sweep.saw(ours, "stale alias", await stateOf(account, stale));
    sweep.saw(ours, "stale key", await stateOf(account, orphan));
    for (const keyArn of [stale, orphan, lone]) assert.equal(await stateOf(account, keyArn), "PendingDeletion");
  });

  for (const [title, settings, state] of [
    ["stays: it may be a twin's, a_b for a.b", {}, "Enabled"],
    ["goes where the operator says that there is no twin", { prune_ambiguous_keys: true }, "PendingDeletion"],
  ] as const) {
    it(`a key that the built-in made ${title}`, async () => {
      const account = accountWithJournal();
      const stale = await operatorKey(account, builtIn, aliasOf("b"));
      const orphan = await operatorKey(account, builtIn);
      await account.time.run(3 * dayMs);
      await startServer(account, "a", { ...soonScans, ...settings });
      await account.time.run(5 * dayMs);
      assert.equal(await stateOf(account, stale), state);
      assert.equal(await stateOf(account, orphan), state);
    });
  }

  it("in tag mode the tags tell: a key of the built-in with our trust domain's tag goes, without it stays", async () => {
    const account = accountWithJournal();
    const ours = await operatorKey(account, builtIn, aliasOf("b"), {
      Tags: tagsOfServerB({ lastUpdate: "1700000000" }),
    });
    const twins = await operatorKey(account, builtIn, aliasOf("c"), {
      Tags: tagsOfServerB({ lastUpdate: "1700000000", td: "example_org" }),
    });
    await account.time.run(3 * dayMs);
    await startServer(account, "a", { ...soonScans, ...tagMode });
    await account.time.run(5 * dayMs);
    assert.equal(await stateOf(account, ours), "PendingDeletion");
    assert.equal(await stateOf(account, twins), "Enabled");
  });
});

describe("a date in tags that cannot be read", () => {
  for (const value of ["yesterday", "", "2020-01-01T00:00:00Z", "1577836800000", "1577836800.5", "-1"]) {
    for (const active of ["true", "false"]) {
      it(`${JSON.stringify(value)}, spire-active=${active}: the key is not pruned by tags`, async () => {
        const account = accountWithJournal();
        const Tags = tagsOfServerB({ active, lastUpdate: value });
        const keyArn = await operatorKey(account, own, undefined, { Tags });
        await startServer(account, "a", { ...tagMode, stale_key_scan_interval: "6h", scan_start_delay: "0s" });
        await account.time.run(20 * dayMs);
        assert.equal(await stateOf(account, keyArn), "Enabled");
      });
    }
  }

  it("a key whose tags are fresh is not pruned by its stale alias", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "b", tagMode);
    const keyArn = await generate(server);
    const fate = (caller: unknown, operation: string) =>
      caller === server && operation === "UpdateAlias" ? ("throttled" as const) : undefined;
    account.fateOf = fate;
    await startServer(account, "a", { ...tagMode, stale_alias_threshold: "24h" });
    await account.time.run(10 * dayMs);
    assert.equal(await stateOf(account, keyArn), "Enabled");
  });
});

describe("a KMS that does not say where key material comes from", () => {
  it("has its keys used, and none of them scheduled for deletion", async () => {
    const account = accountWithJournal();
    const silent = (kms: KmsClient): KmsClient =>
      new Proxy(kms, {
        get(target, name) {
          if (name !== "describeKey") return Reflect.get(target, name).bind?.(target);
          return async (...given: Parameters<KmsClient["describeKey"]>) => ({
            ...(await target.describeKey(...given)),
            origin: undefined,
          });
        },
      });
    const server = await startServer(account, "a", {}, { seams: { kms: silent } });
    const old = await generate(server);
    await rotate(server);
    assert.equal(await stateOf(account, old), "Enabled");
    assert.match(
      String(lines(server, /is to stay after all/, "warn")[0]?.fields.reason),
      /where the key material comes/,
    );
  });
});
