/** When KMS's time is believed, and when it is in doubt. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Clock } from "../ports.ts";
import { KmsTime, ScanTime } from "./kms-time.ts";

const start = Date.UTC(2026, 0, 1);
const minuteMs = 60_000;

function clockAt(ms: number): Clock {
  return { now: () => new Date(ms), elapsedMs: () => 0, sleep: async () => undefined, random: () => 0 };
}

const at = (ms: number) => new Date(start + ms);

describe("KmsTime", () => {
  const rows: readonly (readonly [title: string, differenceMs: number | undefined, doubt: RegExp | undefined])[] = [
    ["is believed when both clocks agree", 0, undefined],
    ["is believed within what SigV4 allows, ahead", 15 * minuteMs, undefined],
    ["is believed within what SigV4 allows, behind", -15 * minuteMs, undefined],
    ["is in doubt beyond it, ahead", 15 * minuteMs + 1, /differ by 15m/],
    ["is in doubt beyond it, behind", -16 * minuteMs, /differ by 16m/],
    ["is in doubt twenty days off", 20 * 24 * 60 * minuteMs, /differ by 480h/],
    ["is in doubt without a date", undefined, /does not tell the time/],
  ];
  for (const [title, differenceMs, doubt] of rows) {
    it(title, () => {
      const serverTime = differenceMs === undefined ? undefined : at(differenceMs);
      const reading = new KmsTime(clockAt(start)).read(serverTime);
      if (doubt === undefined) assert.deepEqual(reading, { now: serverTime });
      else assert.ok("doubt" in reading && doubt.test(reading.doubt), JSON.stringify(reading));
    });
  }

  it("is in doubt when it goes back by more than the clocks of several machines differ", () => {
    const time = new KmsTime(clockAt(start));
    assert.ok("now" in time.read(at(5 * minuteMs)));
    assert.ok("now" in time.read(at(4 * minuteMs)));
    const reading = time.read(at(4 * minuteMs - 1));
    assert.ok("doubt" in reading && /went back from 2026-01-01T00:05:00.000Z/.test(reading.doubt));
  });

  it("does not learn from a time that was in doubt", () => {
    const time = new KmsTime(clockAt(start));
    assert.ok("doubt" in time.read(at(60 * minuteMs)));
    assert.ok("now" in time.read(at(0)));
  });
});

describe("ScanTime", () => {
  it("is in doubt without any answer, and as soon as one answer is", () => {
    const time = new KmsTime(clockAt(start));
    assert.ok("doubt" in new ScanTime(time).reading);
    for (const pages of [
      [at(0), undefined],
      [undefined, at(0)],
      [at(0), at(60 * minuteMs), at(0)],
    ]) {
      const scan = new ScanTime(time);
      for (const page of pages) scan.note(page);
      assert.ok("doubt" in scan.reading);
    }
  });

  it("is that of the last answer", () => {
    const scan = new ScanTime(new KmsTime(clockAt(start)));
    scan.note(at(0));
    scan.note(at(minuteMs));
    assert.deepEqual(scan.reading, { now: at(minuteMs) });
  });
});
