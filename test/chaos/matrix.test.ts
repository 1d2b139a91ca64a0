import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Trouble, troubles } from "../simulation/troubles.ts";
import { type Cell, experiment, type Place, places } from "./matrix.ts";
import { reportTable } from "./report.ts";

const all = Object.keys(places) as Place[];
const withKeys: readonly Place[] = ["DescribeKey", "GetPublicKey", "Sign"];

/** Where a kind of trouble can be met, if not everywhere. */
const only: Partial<Record<Trouble, readonly Place[]>> = {
  lag: withKeys,
  "wrong signature": ["Sign"],
  "other key's signature": ["Sign"],
  "public key of another type": ["GetPublicKey"],
  "other public key": ["GetPublicKey"],
};

/** What SPIRE may see of trouble that lasts. Everything passes once, unless it is said here. */
const lasting: Readonly<Record<Trouble, readonly string[]>> = {
  throttled: ["RESOURCE_EXHAUSTED"],
  denied: ["PERMISSION_DENIED"],
  expired: ["UNAUTHENTICATED"],
  "not valid": ["FAILED_PRECONDITION"],
  internal: ["UNAVAILABLE"],
  "internal, done": ["UNAVAILABLE", "OK"],
  page: ["UNAVAILABLE"],
  "garbled answer": ["UNAVAILABLE", "OK"],
  // Some operations have no answer but that it was done.
  "empty answer": ["UNAVAILABLE", "OK"],
  reset: ["UNAVAILABLE"],
  lost: ["UNAVAILABLE", "OK"],
  slow: ["OK"],
  hangs: ["DEADLINE_EXCEEDED", "OK"],
  "never arrives": ["DEADLINE_EXCEEDED"],
  lag: ["OK"],
  "wrong signature": ["INTERNAL"],
  "other key's signature": ["INTERNAL"],
  "public key of another type": ["INTERNAL"],
  "other public key": ["OK"],
};

/** A deletion concerns only us: SPIRE's call has ended by then. */
const isUnseen = (place: Place) => place === "ScheduleKeyDeletion";

const told = ({ code, tookMs, scheduled, orphans }: Cell, place: Place): string => {
  const seconds = tookMs >= 1_950 ? ` after ${Math.round(tookMs / 1000)} s` : "";
  const expected = places[place] === "rotation" && code === "OK" ? 1 : 0;
  const left = [
    scheduled > expected ? "the new key is scheduled for deletion" : "",
    orphans > 0 ? "the scan finds a key" : "",
  ].filter(Boolean);
  const status = code.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
  return [`${status}${seconds}`, ...left].join("; ");
};

describe("every kind of trouble at every call", () => {
  const rows: string[][] = [];

  for (const trouble of Object.keys(troubles) as Trouble[]) {
    it(`${trouble}: ${troubles[trouble]}`, async () => {
      for (const place of only[trouble] ?? all) {
        const once = await experiment(trouble, place, false);
        const long = await experiment(trouble, place, true);
        rows.push([trouble, `${place} (${places[place]})`, told(once, place), told(long, place)]);
        const where = `${trouble} at ${place}`;
        assert.deepEqual([...once.violations, ...long.violations], [], where);
        const expected = isUnseen(place) || (place === "CreateKey" && trouble === "lag") ? ["OK"] : lasting[trouble];
        assert.ok(expected.includes(long.code), `${where}, lasting: ${long.code}`);
        assert.ok(["OK", ...lasting[trouble]].includes(once.code), `${where}, once: ${once.code}`);
        assert.ok(long.tookMs <= 30_000 && once.tookMs <= 30_000, `${where} took longer than SPIRE waits`);
        const isLeft = place === "CreateKey" || (place === "ScheduleKeyDeletion" && trouble === "not valid");
        if (!isLeft) assert.ok(long.orphans + once.orphans === 0, `${where} leaves a key to the scan`);
        if (place === "CreateKey") assert.ok(long.attempts <= 3);
      }
    });
  }

  it("is written down", () => {
    reportTable("faults", ["trouble", "at", "once", "for two minutes"], rows);
    assert.ok(rows.length > 100);
  });
});
