import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Chronicle, liveThroughStorm } from "../simulation/histories/storm.ts";
import { reportText } from "./report.ts";

/** `CHAOS_HISTORIES=20000` for a long run; `CHAOS_SEED` to begin elsewhere, or to see one history again. */
const wanted = Number(process.env.CHAOS_HISTORIES ?? 0);
const firstSeed = Number(process.env.CHAOS_SEED ?? 0);
/** Without a number: at least so many, and as many more as this time allows. */
const fewest = 100;
const budgetMs = 9_000;

interface Sum {
  histories: number;
  signatures: number;
  keys: number;
  crashes: number;
  troubles: number;
}

function isEnough({ histories }: Sum, startedAt: number): boolean {
  if (wanted > 0) return histories >= wanted;
  return histories >= fewest && performance.now() - startedAt > budgetMs;
}

function count(sum: Sum, { signatures, keysCreated, crashes, troubles }: Chronicle): void {
  sum.histories++;
  sum.signatures += signatures;
  sum.keys += keysCreated;
  sum.crashes += crashes;
  for (const byOperation of troubles.values()) for (const times of byOperation.values()) sum.troubles += times;
}

describe("histories of a server around which everything fails", () => {
  it("keep what must be kept", async (t) => {
    const sum: Sum = { histories: 0, signatures: 0, keys: 0, crashes: 0, troubles: 0 };
    const startedAt = performance.now();
    const broken: string[] = [];
    while (!isEnough(sum, startedAt) && broken.length < 5) {
      const chronicle = await liveThroughStorm(firstSeed + sum.histories);
      count(sum, chronicle);
      if (chronicle.violations.length > 0) broken.push(`seed ${chronicle.seed}: ${chronicle.violations[0]}`);
    }
    t.diagnostic(JSON.stringify(sum));
    assert.deepEqual(broken, []);
    assert.ok(sum.signatures > 10 * sum.histories && sum.troubles > 5 * sum.histories, "something has happened");
    reportText(
      "histories",
      `${sum.histories} histories, ${sum.crashes} crashes (kill -9), ${sum.troubles} calls in trouble, ${sum.keys} keys, ${sum.signatures} signatures: no violation.`,
    );
  });

  it("would show a server that passes wrong signatures on", async () => {
    assert.ok(await isShown(/does not verify/, { verify_signatures: false }));
  });

  it("would show a server that never prunes", async () => {
    const settings = { stale_key_scan_interval: "2400h", scan_start_delay: "2400h" };
    assert.ok(await isShown(/is not scheduled/, settings));
  });
});

/** Whether one of the first histories shows this violation. */
async function isShown(violation: RegExp, settings: Readonly<Record<string, boolean | string>>): Promise<boolean> {
  for (let seed = 0; seed < 60; seed++) {
    const { violations } = await liveThroughStorm(seed, settings);
    if (violations.some((text) => violation.test(text))) return true;
  }
  return false;
}
