/** What earlier runs saw: kept, bounded, and never taken from a file that is something else. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { emptyHistory, type History, readHistory, withRun, writeHistory } from "../../src/cli/report/history.ts";
import { daysAgo, pending, row, summary } from "./sample-data.ts";

const regions = ["us-east-2"];

describe("the history of reports", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "report-history-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const run = (history: History, rows: Parameters<typeof summary>[0], days: number, isComplete = true) =>
    withRun(history, rows, { ...summary(rows, { isComplete }), now: daysAgo(days) }, regions);

  it("begins where there is no file, and is the same when it is read again", async () => {
    const path = join(folder, "new", "history.json");
    const empty = await readHistory(path, "example.org");
    assert.deepEqual(empty, emptyHistory("example.org"));
    const history = run(empty, [row({ keyId: "a" }), pending("b")], 0);
    await writeHistory(path, history);
    assert.deepEqual(await readHistory(path, "example.org"), history);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.deepEqual(history.runs, [
      { at: daysAgo(0).toISOString(), keys: 2, pending: 1, stale: 0, orphaned: 0, costUsd: 1 },
    ]);
  });

  it("remembers whose a key was, when it was found pending deletion, and when it was no longer found", () => {
    const first = run(emptyHistory("example.org"), [row({ keyId: "a" })], 9);
    const second = run(first, [pending("a")], 8);
    const third = run(second, [pending("a")], 4);
    assert.equal(third.keys.a?.server, "server-1");
    assert.equal(third.keys.a?.pending, daysAgo(8).toISOString());
    const fourth = run(third, [], 1);
    assert.equal(fourth.keys.a?.ended, daysAgo(1).toISOString());
    assert.equal(run(fourth, [], 0).keys.a?.ended, daysAgo(1).toISOString());
  });

  it("takes no key for deleted that a denied call or another Region hides", () => {
    const first = run(emptyHistory("example.org"), [row({ keyId: "a" }), row({ keyId: "b", region: "eu-west-1" })], 2);
    const hidden = run(first, [], 1, false);
    assert.equal(hidden.keys.a?.ended, undefined);
    assert.equal(hidden.runs.length, 1);
    assert.equal(run(first, [], 1).keys.b?.ended, undefined);
  });

  it("keeps one run a day of what is long past, and forgets keys that ended long ago", () => {
    let history = emptyHistory("example.org");
    for (let day = 60; day >= 0; day -= 0.25) history = run(history, [], day);
    assert.ok(history.runs.length < 31 + 30 * 4 + 5, String(history.runs.length));
    let other = run(emptyHistory("example.org"), [row({ keyId: "a" })], 200);
    other = run(other, [], 199);
    assert.ok(other.keys.a);
    assert.equal(run(other, [], 0).keys.a, undefined);
  });

  it("leaves a file alone that is something else, and says why", async () => {
    const path = join(folder, "other.json");
    const valid = JSON.stringify(run(emptyHistory("example.org"), [row({ keyId: "a" })], 0));
    const cases: readonly (readonly [string, RegExp])[] = [
      ["", /it is not JSON/],
      ["[1]", /it is no history/],
      ['{"format":"spire-aws-kms/history","version":2}', /another release/],
      ['{"format":"spire-aws-kms/history","version":1,"trustDomain":"example.org","runs":[{}],"keys":{}}', /damaged/],
      [valid.replace('"seen":"', '"seen":"x'), /damaged/],
      [valid.replace("example.org", "other.org"), /it is of the trust domain other\.org/],
    ];
    for (const [text, reason] of cases) {
      await writeFile(path, text);
      await assert.rejects(readHistory(path, "example.org"), reason);
      assert.equal(await readFile(path, "utf8"), text);
    }
    await assert.rejects(readHistory(folder, "example.org"), /--history: .* cannot be read: EISDIR/);
  });

  it("does not take a name of every object for a key", async () => {
    const path = join(folder, "proto.json");
    const rows = [row({ keyId: "__proto__" }), row({ keyId: "constructor" })];
    await writeHistory(path, run(emptyHistory("example.org"), rows, 0));
    const history = await readHistory(path, "example.org");
    assert.deepEqual(Object.keys(history.keys).sort(), ["__proto__", "constructor"]);
    assert.equal(history.keys.toString, undefined);
  });
});
