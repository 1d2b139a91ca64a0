/** What a scan finds is looked at again after `prune_confirm_delay`, and a key that has signed of late stays. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { Sweep } from "../chaos/report.ts";
import {
  accountWithJournal,
  aliasOf,
  callsOf,
  dayMs,
  hourMs,
  lines,
  minuteMs,
  operatorKey,
  ownDescription,
  soonScans,
  startServer,
  stateOf,
  tagMode,
  tagsOfServerB,
} from "../simulation/scenes.ts";
import type { SimulatedAccount } from "../simulation/simulated-account.ts";
import type { Settings } from "../simulation/simulated-server.ts";

interface Found {
  readonly title: string;
  readonly settings: Settings;
  readonly make: (account: SimulatedAccount) => Promise<string>;
}

const found: readonly Found[] = [
  {
    title: "a stale alias",
    settings: soonScans,
    make: (account) => operatorKey(account, ownDescription, aliasOf("b")),
  },
  { title: "an orphan", settings: soonScans, make: (account) => operatorKey(account, ownDescription) },
  {
    title: "stale tags",
    settings: { ...soonScans, ...tagMode },
    make: (account) => operatorKey(account, ownDescription, undefined, { Tags: tagsOfServerB() }),
  },
];

/** A server whose first scans have just found the key. */
async function afterFirstLook({ settings, make }: Found, more: Settings = {}) {
  const account = accountWithJournal();
  const keyArn = await make(account);
  await account.time.run(20 * dayMs);
  const server = await startServer(account, "a", { ...settings, ...more });
  await account.time.run(2 * minuteMs);
  return { account, keyArn, server };
}

const sweep = new Sweep("looks", "between the two looks the key");
after(() => sweep.report());

const bare = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);
const scheduled = (account: SimulatedAccount, keyArn: string): number =>
  callsOf(account, "ScheduleKeyDeletion").filter(({ input }) => input.KeyId === bare(keyArn)).length;

for (const kind of found) {
  describe(`what a scan finds: ${kind.title}`, () => {
    it("goes after the second look, 15 minutes later, and is told at the first", async () => {
      const { account, keyArn, server } = await afterFirstLook(kind);
      assert.equal(await stateOf(account, keyArn), "Enabled");
      const [line] = lines(server, /^Found stale keys: they are looked at again/, "info");
      assert.deepEqual([line?.fields.found, line?.fields.again_in, line?.fields.key_arns], [1, "15m", [keyArn]]);
      await account.time.run(12 * minuteMs);
      assert.equal(scheduled(account, keyArn), 0);
      await account.time.run(5 * minuteMs);
      const state = await stateOf(account, keyArn);
      sweep.saw("is as it was", kind.title, state);
      assert.equal(state, "PendingDeletion");
    });

    it("goes at once with prune_confirm_delay = 0s", async () => {
      const { account, keyArn } = await afterFirstLook(kind, { prune_confirm_delay: "0s" });
      assert.equal(await stateOf(account, keyArn), "PendingDeletion");
    });

    for (const [change, act] of [
      [
        "got an alias",
        (account: SimulatedAccount, TargetKeyId: string) =>
          account.call("CreateAlias", { AliasName: "alias/rescued", TargetKeyId }),
      ],
      ["was disabled", (account: SimulatedAccount, KeyId: string) => account.call("DisableKey", { KeyId })],
      [
        "got another description",
        (account: SimulatedAccount, KeyId: string) =>
          account.call("UpdateKeyDescription", { KeyId, Description: "mine now" }),
      ],
      [
        "has signed",
        (account: SimulatedAccount, KeyId: string) =>
          account.call("Sign", {
            KeyId,
            Message: new Uint8Array(32),
            MessageType: "DIGEST",
            SigningAlgorithm: "ECDSA_SHA_256",
          }),
      ],
    ] as const) {
      it(`stays when it ${change} between the looks`, async () => {
        const { account, keyArn, server } = await afterFirstLook(kind);
        await act(account, keyArn);
        await account.time.run(hourMs);
        sweep.saw(change, kind.title, scheduled(account, keyArn) === 0 ? "Enabled" : "PendingDeletion");
        assert.equal(scheduled(account, keyArn), 0);
        assert.equal(lines(server, /is to stay after all/, "info").length, 1);
      });
    }

    it("is found again by the next process when this one ends between the looks", async () => {
      const { account, keyArn, server } = await afterFirstLook(kind);
      server.kill();
      await account.time.run(hourMs);
      assert.equal(scheduled(account, keyArn), 0);
      await startServer(account, "a", kind.settings, { seed: 2 });
      await account.time.run(hourMs);
      assert.equal(await stateOf(account, keyArn), "PendingDeletion");
    });

    it("stays as long as it has signed within the threshold, and goes after it", async () => {
      const account = accountWithJournal();
      const keyArn = await kind.make(account);
      await account.time.run(20 * dayMs);
      const Message = new Uint8Array(32);
      await account.call("Sign", { KeyId: keyArn, Message, MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256" });
      const server = await startServer(account, "a", kind.settings);
      await account.time.run(20 * hourMs);
      assert.equal(await stateOf(account, keyArn), "Enabled");
      assert.match(
        String(lines(server, /is to stay after all/, "info")[0]?.fields.reason),
        /recorded a use of the key/,
      );
      await account.time.run(3 * dayMs);
      assert.equal(await stateOf(account, keyArn), "PendingDeletion");
    });
  });
}

describe("KMS's record of use", () => {
  it("that may not be read is told once and is no obstacle", async () => {
    const account = accountWithJournal({
      identities: [
        {
          accessKeyId: "AKIASPIRESERVER00001",
          arn: "arn:aws:sts::111122223333:assumed-role/spire-server/i-0123456789",
        },
      ],
    });
    const keys = [await operatorKey(account, ownDescription), await operatorKey(account, ownDescription)];
    await account.time.run(20 * dayMs);
    const denied = { kind: "error", name: "AccessDeniedException", operation: "GetKeyLastUsage" } as const;
    account.control.addFault(denied);
    const server = await startServer(account, "a", soonScans);
    await account.time.run(dayMs);
    for (const keyArn of keys) assert.equal(await stateOf(account, keyArn), "PendingDeletion");
    const told = lines(server, /^KMS does not tell when keys were used last/, "info");
    assert.equal(told.length, 1);
    assert.match(String(told[0]?.fields.reason), /kms:GetKeyLastUsage/);
  });

  it("that is throttled makes the deletion wait", async () => {
    const account = accountWithJournal();
    const keyArn = await operatorKey(account, ownDescription);
    await account.time.run(20 * dayMs);
    account.fateOf = (_, operation) => (operation === "GetKeyLastUsage" ? "throttled" : undefined);
    await startServer(account, "a", soonScans);
    await account.time.run(2 * hourMs);
    assert.equal(await stateOf(account, keyArn), "Enabled");
    account.fateOf = () => undefined;
    await account.time.run(2 * hourMs);
    assert.equal(await stateOf(account, keyArn), "PendingDeletion");
  });

  it("is not asked about a key that was rotated: it has just signed", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    await account.time.until(server.generate("x509-CA-A"));
    const old = server.entries.get("x509-CA-A")?.keyArn ?? "";
    await account.time.until(server.keyManager.signData("x509-CA-A", new Uint8Array(32), { hashAlgorithm: "SHA256" }));
    await account.time.until(server.generate("x509-CA-A"));
    await account.time.run(minuteMs);
    assert.equal(await stateOf(account, old), "PendingDeletion");
    assert.equal(callsOf(account, "GetKeyLastUsage").length, 0);
  });
});
