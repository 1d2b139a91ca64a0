/** Servers that share one key_identifier_value: never a revert, never a deletion of what the other one uses. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { type UpkeepOptions, upkeepTasks } from "../../src/key-manager/upkeep/upkeep.ts";
import { everyOrder, type Scene } from "../simulation/interleavings.ts";
import {
  accountWithJournal,
  aliases,
  aliasOf,
  arnOf,
  callsOf,
  dayMs,
  generate,
  hourMs,
  lines,
  minuteMs,
  startServer,
  stateOf,
  tagMode,
  tagsOf,
  walksOf,
} from "../simulation/scenes.ts";
import { SimulatedAccount } from "../simulation/simulated-account.ts";
import { type Settings, SimulatedServer } from "../simulation/simulated-server.ts";

const keyId = "x509-CA-A";
const serverId = "shared";
const alias = aliasOf(serverId);
const bare = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);

/** A server of the shared identity whose tasks run only when they are told to. */
class Replica {
  readonly server: SimulatedServer;
  #upkeep: UpkeepOptions | undefined;

  constructor(account: SimulatedAccount, settings: Settings, seed: number) {
    this.server = new SimulatedServer({
      account,
      trustDomain: "example.org",
      serverId,
      // Scans are run by hand here, and their second look has tests of its own.
      settings: { prune_confirm_delay: "0s", ...settings },
      seed,
      seams: {
        tasks: (options) => {
          this.#upkeep = options;
          return [];
        },
      },
    });
  }

  async run(taskName: string): Promise<void> {
    const task = this.#upkeep && upkeepTasks(this.#upkeep).find(({ name }) => name === taskName);
    assert.ok(task !== undefined);
    await task.runOnce(new AbortController().signal);
  }

  refresh(): Promise<void> {
    return this.run("refresh aliases");
  }

  rotate(): Promise<unknown> {
    return this.server.generate(keyId);
  }

  sign() {
    return this.server.sign(keyId);
  }

  get arn(): string {
    return arnOf(this.server);
  }
}

/** Two replicas, configured; with a key in use by both, or none yet. */
async function twoReplicas(hasKey: boolean, settings: readonly [Settings, Settings] = [{}, {}]) {
  const account = new SimulatedAccount();
  const first = new Replica(account, settings[0], 1);
  const second = new Replica(account, settings[1], 2);
  await account.time.until(first.server.configure());
  if (hasKey) await generate(first.server);
  await account.time.until(second.server.configure());
  return { account, first, second, servers: [first.server, second.server] };
}

type Replicas = Awaited<ReturnType<typeof twoReplicas>>;

const keyStates = async (account: SimulatedAccount): Promise<readonly string[]> => {
  const { Keys } = (await account.call("ListKeys", {})) as { Keys: readonly { KeyId: string }[] };
  return (await Promise.all(Keys.map(({ KeyId }) => stateOf(account, KeyId)))).sort();
};

const target = async (account: SimulatedAccount): Promise<string> => (await aliases(account)).get(alias) ?? "none";

/** Each makes use of where the alias stands, and that key is there to stay. */
async function assertAgreed({ account, first, second }: Replicas): Promise<void> {
  const used = await target(account);
  assert.equal(await stateOf(account, used), "Enabled");
  assert.deepEqual([bare(first.arn), bare(second.arn)], [used, used]);
}

const modes: readonly (readonly [string, readonly [Settings, Settings]])[] = [
  ["in alias mode", [{}, {}]],
  ["in tag mode", [tagMode, tagMode]],
  ["in one mode each", [{}, tagMode]],
];

async function inEveryOrder(context: TestContext, makeScene: () => Promise<Scene>): Promise<void> {
  const count = await everyOrder(makeScene);
  context.diagnostic(`${count} orders`);
  assert.ok(count >= 4 && count < 2_000, "all of them");
}

describe("replicas, in every order in which their calls can reach KMS", () => {
  for (const [mode, settings] of modes) {
    it(`${mode}: two fresh ones that make the same key end with one key in use and the other scheduled`, (context) =>
      inEveryOrder(context, async () => {
        const replicas = await twoReplicas(false, settings);
        const { account, first, second, servers } = replicas;
        return {
          account,
          servers,
          act: () => Promise.all([first.rotate(), second.rotate()]),
          async check() {
            await assertAgreed(replicas);
            assert.deepEqual(await keyStates(account), ["Enabled", "PendingDeletion"]);
          },
        };
      }));

    it(`${mode}: a refresh that races a rotation never leaves the alias on a key that goes`, (context) =>
      inEveryOrder(context, async () => {
        const replicas = await twoReplicas(true, settings);
        const { account, first, second, servers } = replicas;
        const old = first.arn;
        return {
          account,
          servers,
          act: () => Promise.all([first.rotate(), second.refresh()]),
          async check() {
            assert.equal(await target(account), bare(first.arn), "the rotation stands");
            assert.equal(await stateOf(account, first.arn), "Enabled");
            assert.equal(await stateOf(account, old), "PendingDeletion");
            await account.time.until(second.refresh());
            await assertAgreed(replicas);
          },
        };
      }));
  }

  it("a signature that races a rotation comes from the old key or from the new one", (context) =>
    inEveryOrder(context, async () => {
      const replicas = await twoReplicas(true);
      const { account, first, second, servers } = replicas;
      const before = second.server.entries.get(keyId)?.fingerprint;
      let signedBy: string | undefined;
      return {
        account,
        servers,
        async act() {
          const rotation = first.rotate();
          for (let count = 0; count < 3; count++) signedBy = (await second.sign()).keyFingerprint;
          await rotation;
        },
        async check() {
          const after = first.server.entries.get(keyId)?.fingerprint;
          assert.ok(signedBy !== undefined && [before, after].includes(signedBy));
          assert.equal((await account.time.until(second.sign())).keyFingerprint, after, "by now it has followed");
          await assertAgreed(replicas);
        },
      };
    }));

  it("two rotations at once end on one of the two keys, and neither loses the one it stands on", async (context) => {
    const count = await everyOrder(async () => {
      const replicas = await twoReplicas(true);
      const { account, first, second, servers } = replicas;
      const old = first.arn;
      return {
        account,
        servers,
        act: () => Promise.all([first.rotate(), second.rotate()]),
        async check() {
          assert.equal(await stateOf(account, await target(account)), "Enabled");
          assert.equal(await stateOf(account, old), "PendingDeletion");
          await account.time.until(first.refresh());
          await account.time.until(second.refresh());
          await assertAgreed(replicas);
          // The other new key has no alias and no user: the stale-key scan's business.
          await account.time.run(3 * dayMs);
          await account.time.until(first.run("prune stale keys"));
          await account.time.run(minuteMs);
          await assertAgreed(replicas);
          assert.deepEqual(await keyStates(account), ["Enabled", "PendingDeletion", "PendingDeletion"]);
        },
      };
    }, 400);
    context.diagnostic(`${count} orders`);
  });
});

describe("replicas in the course of time", () => {
  it("a rotation is followed at the next refresh, told, and the alias is not put back", async () => {
    const account = accountWithJournal();
    const first = await startServer(account, serverId);
    const old = await generate(first);
    const second = await startServer(account, serverId, {}, { seed: 2 });
    await account.time.run(hourMs);
    const rotated = await generate(first);
    account.control.clearJournal();
    await account.time.run(6 * hourMs);
    assert.equal(arnOf(second), rotated);
    const [line] = lines(second, /^Another server with this identity has rotated a key: using its key now$/, "warn");
    assert.deepEqual([line?.fields.key_arn, line?.fields.replaced_key_arn], [rotated, old]);
    assert.ok(callsOf(account, "UpdateAlias").every(({ input }) => input.TargetKeyId === rotated));
    assert.equal(await stateOf(account, rotated), "Enabled");
  });

  it("a signature with a key that the other one has scheduled for deletion comes from its successor", async () => {
    const account = accountWithJournal();
    const first = await startServer(account, serverId);
    await generate(first);
    const second = await startServer(account, serverId, {}, { seed: 2 });
    await account.time.run(hourMs);
    const rotated = await generate(first);
    const signature = await second.sign(keyId);
    assert.equal(signature.keyFingerprint, first.entries.get(keyId)?.fingerprint);
    assert.equal(arnOf(second), rotated);
    const answered = second.publicKeys.find((key) => key.keyId === keyId);
    assert.equal(answered?.fingerprint, signature.keyFingerprint);
  });

  it("a disabled key stays where it is: nothing to follow, and the error says what to do about it", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, serverId);
    const keyArn = await generate(server);
    await account.call("DisableKey", { KeyId: keyArn });
    await assert.rejects(server.sign(keyId), /enable the key again/);
    await account.call("EnableKey", { KeyId: keyArn });
    await server.sign(keyId);
    assert.equal(arnOf(server), keyArn);
  });

  it("the replica that stays refreshes what the other one, ended since, has made", async () => {
    const account = accountWithJournal();
    const first = await startServer(account, serverId);
    await generate(first);
    const second = await startServer(account, serverId, {}, { seed: 2 });
    await startServer(account, "watcher");
    const rotated = await generate(first);
    first.kill();
    await account.time.run(60 * dayMs);
    assert.equal(await stateOf(account, rotated), "Enabled");
    assert.equal(arnOf(second), rotated);
  });

  it("in tag mode, what a replica in alias mode has made is tagged when it is followed, and found at the next start", async () => {
    const account = accountWithJournal();
    const inTagMode = await startServer(account, serverId, tagMode);
    await generate(inTagMode, "JWT-Signer-A");
    await generate(inTagMode);
    const inAliasMode = await startServer(account, serverId, {}, { seed: 2 });
    const rotated = await generate(inAliasMode);
    assert.equal((await tagsOf(account, rotated)).size, 0);
    await account.time.run(7 * hourMs);
    assert.equal((await tagsOf(account, rotated)).get("spire-active"), "true");
    inTagMode.kill();
    account.control.clearJournal();
    const again = await startServer(account, serverId, tagMode);
    assert.equal(arnOf(again), rotated);
    assert.equal(callsOf(account, "ListAliases").length, 0);
  });

  it("an alias that was deleted is made again, while its key is still there", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, serverId);
    const keyArn = await generate(server);
    await account.time.run(hourMs);
    await account.call("DeleteAlias", { AliasName: alias });
    await account.time.run(6 * hourMs);
    assert.equal((await aliases(account)).get(alias), bare(keyArn));
    assert.equal(lines(server, /^Alias of a key in use was missing/, "warn").length, 1);
  });

  it("a server that comes back after its two weeks shows at once that it lives", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, serverId);
    const keyArn = await generate(server);
    server.kill();
    await account.time.run(14 * dayMs - 2 * minuteMs);
    const scans = { stale_alias_scan_interval: "1s", scan_start_delay: "0s" };
    const watcher = await startServer(account, "watcher", scans);
    await startServer(account, serverId, {}, { seed: 3 });
    await account.time.run(20 * minuteMs);
    assert.ok(walksOf(account, "ListAliases").length > 1_000);
    assert.equal(await stateOf(account, keyArn), "Enabled");
    assert.equal(lines(watcher, /scheduled for deletion/).length, 0);
  });
});
