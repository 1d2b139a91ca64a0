/** Ages are told by KMS's time, and only where it and this machine's bear each other out: otherwise nothing is pruned. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { KmsClient, Page } from "../../src/key-manager/ports.ts";
import { Sweep } from "../chaos/report.ts";
import {
  accountWithJournal,
  aliasOf,
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
import type { Settings } from "../simulation/simulated-server.ts";

/** A client whose listings tell another time, or none. */
function telling(kms: KmsClient, timeOf: (time: Date) => Date | undefined): KmsClient {
  async function* changed<T>(pages: AsyncIterable<Page<T>>): AsyncGenerator<Page<T>> {
    for await (const page of pages) yield { ...page, serverTime: page.serverTime && timeOf(page.serverTime) };
  }
  return new Proxy(kms, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      const call = member.bind(target);
      return name === "listAliases" || name === "listKeys" ? (...given: unknown[]) => changed(call(...given)) : call;
    },
  });
}

/** Keys of a live server and of one that runs no more, and what becomes of them under a wrong time. */
async function underTime(settings: Settings, skewMs: number, timeOf: (time: Date) => Date | undefined) {
  const account = accountWithJournal();
  const keys = [
    await operatorKey(account, ownDescription, aliasOf("b"), { Tags: tagsOfServerB() }),
    await operatorKey(account, ownDescription, undefined, { Tags: tagsOfServerB() }),
  ];
  await account.time.run(30 * dayMs);
  const server = await startServer(
    account,
    "a",
    { ...soonScans, ...settings },
    {
      skewMs,
      seams: { kms: (kms) => telling(kms, timeOf) },
    },
  );
  await account.time.run(4 * dayMs);
  const states = await Promise.all(keys.map((keyArn) => stateOf(account, keyArn)));
  return { states, warned: lines(server, /^Nothing is pruned in this scan: ages cannot be told/, "warn") };
}

const sweep = new Sweep("clocks", "clocks");
after(() => sweep.report());
const saw = (title: string, mode: string, [alias = "", orphan = ""]: readonly string[]) => {
  sweep.saw(title, `stale alias, ${mode}`, alias);
  sweep.saw(title, `no alias, ${mode}`, orphan);
};

const right = (time: Date) => time;

for (const [mode, settings] of [
  ["by aliases", {}],
  ["by tags", tagMode],
] as const) {
  describe(`pruning ${mode}`, () => {
    for (const [title, skewMs, timeOf] of [
      ["this machine's clock is 20 days ahead", 20 * dayMs, right],
      ["this machine's clock is 20 days behind", -20 * dayMs, right],
      ["this machine's clock is 16 minutes ahead", 16 * minuteMs, right],
      ["KMS's answers do not tell the time", 0, () => undefined],
      ["what answers in KMS's place is 20 days ahead", 0, (time: Date) => new Date(time.getTime() + 20 * dayMs)],
    ] as const) {
      it(`finds nothing when ${title}, and says so`, async () => {
        const { states, warned } = await underTime(settings, skewMs, timeOf);
        saw(title, mode, states);
        assert.deepEqual(states, ["Enabled", "Enabled"]);
        assert.ok(warned.length >= 1);
      });
    }

    it("finds what is stale when the clocks are minutes apart", async () => {
      const { states, warned } = await underTime(settings, 10 * minuteMs, right);
      saw("this machine's clock is 10 minutes ahead", mode, states);
      assert.deepEqual(states, ["PendingDeletion", "PendingDeletion"]);
      assert.deepEqual(warned, []);
    });
  });
}

describe("a time that goes back", () => {
  it("ends the scan; the next one that is in order finds the same", async () => {
    const account = accountWithJournal();
    const stale = await operatorKey(account, ownDescription, aliasOf("b"));
    await account.time.run(3 * dayMs);
    let backMs = 0;
    const server = await startServer(account, "a", soonScans, {
      seams: { kms: (kms) => telling(kms, (time) => new Date(time.getTime() - backMs)) },
    });
    await account.time.run(minuteMs);
    // The first scan has begun and waits for its second look.
    backMs = 10 * minuteMs;
    await account.time.run(6 * hourMs + minuteMs);
    // Six hours later KMS's time is past the latest that was seen: it is believed again.
    backMs = 0;
    await account.time.run(2 * dayMs);
    assert.equal(await stateOf(account, stale), "PendingDeletion");
    assert.equal(lines(server, /^Task failed/).length, 0);
  });
});
