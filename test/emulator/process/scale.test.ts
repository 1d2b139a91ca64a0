/** A large state costs a call no more than a small one. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { createEngine, type EmulatorControl, manualClock, startEmulator } from "../../../src/kms-emulator/index.ts";

/** Keys of the large state; `EMULATOR_SCALE_KEYS=100000` for the full size. Every key has an alias. */
const large = Number(process.env.EMULATOR_SCALE_KEYS ?? 4_000);
const small = Math.max(Math.floor(large / 100), 50);

const clock = manualClock();
const engine = (): EmulatorControl => createEngine({ clock, journalLimit: 0 }).control;

async function fill(control: EmulatorControl, count: number): Promise<string> {
  let KeyId = "";
  for (let index = 0; index < count; index += 1) {
    const input = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY", Description: "SPIRE_SERVER/example.org" };
    const output = await control.callByName("CreateKey", input);
    KeyId = (output as { KeyMetadata: { KeyId: string } }).KeyMetadata.KeyId;
    await control.call("CreateAlias", { AliasName: `alias/SPIRE_SERVER/td/${index}`, TargetKeyId: KeyId });
  }
  return KeyId;
}

/** CPU microseconds of a call: the fastest of several batches, which other work on the machine disturbs least. */
async function costOf(control: EmulatorControl, operation: string, input: object): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < 9; batch += 1) {
    const before = process.cpuUsage();
    for (let index = 0; index < 60; index += 1) await control.callByName(operation, input);
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / 60);
  }
  return best;
}

describe(`${large} keys and aliases`, () => {
  it("cost a call no more than a few do, are saved and loaded in seconds, and are all there", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "emulator-scale-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const [few, many] = [engine(), engine()];
    const [fewId, manyId] = [await fill(few, small), await fill(many, large)];
    const signing = { Message: new Uint8Array(32), MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256" };
    const marker = async (control: EmulatorControl) => {
      const page = (await control.call("ListAliases", { Limit: 25 })) as { NextMarker: string };
      return page.NextMarker;
    };
    const calls: readonly [string, object, object][] = [
      ["ListAliases", { Limit: 20, Marker: await marker(few) }, { Limit: 20, Marker: await marker(many) }],
      ["ListKeys", { Limit: 20 }, { Limit: 20 }],
      ["DescribeKey", { KeyId: fewId }, { KeyId: manyId }],
      [
        "UpdateAlias",
        { AliasName: "alias/SPIRE_SERVER/td/1", TargetKeyId: fewId },
        { AliasName: "alias/SPIRE_SERVER/td/1", TargetKeyId: manyId },
      ],
      ["Sign", { KeyId: fewId, ...signing }, { KeyId: manyId, ...signing }],
    ];
    for (const [operation, fewInput, manyInput] of calls) {
      const [base, cost] = [await costOf(few, operation, fewInput), await costOf(many, operation, manyInput)];
      t.diagnostic(`${operation}: ${base.toFixed(1)} µs with ${small}, ${cost.toFixed(1)} µs with ${large}`);
      // A hundred times the keys: linear work would cost some hundred times as much.
      assert.ok(cost < base * 12 + 40, `${operation}: ${base} µs, then ${cost} µs`);
    }
    await saveAndLoad(many, join(folder, "state.log"), t.diagnostic.bind(t));
  });
});

async function saveAndLoad(control: EmulatorControl, dataFile: string, report: (text: string) => void): Promise<void> {
  const first = await startEmulator({ dataFile, journalLimit: 0, clock: manualClock() });
  first.control.load(control.dump());
  await first.close();
  const before = process.cpuUsage();
  const second = await startEmulator({ dataFile, journalLimit: 0, clock: manualClock() });
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  try {
    let found = 0;
    for (let Marker: unknown; ; ) {
      const page = (await second.control.callByName("ListAliases", { Limit: 100, Marker })) as {
        Aliases: { TargetKeyId?: string }[];
        NextMarker?: string;
      };
      found += page.Aliases.filter((alias) => alias.TargetKeyId !== undefined).length;
      Marker = page.NextMarker;
      if (Marker === undefined) break;
    }
    assert.equal(found, large);
    const { heapUsed, rss } = process.memoryUsage();
    report(`file ${(statSync(dataFile).size / 1e6).toFixed(0)} MB, loaded in ${seconds.toFixed(1)} s of CPU`);
    report(`two such states in memory: heap ${(heapUsed / 1e6).toFixed(0)} MB, RSS ${(rss / 1e6).toFixed(0)} MB`);
    assert.ok(seconds < 60, `loading took ${seconds} s of CPU`);
  } finally {
    await second.close();
  }
}
