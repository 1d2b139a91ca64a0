/** The journal keeps the latest calls and no more. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Journal } from "./journal.ts";

const caller = {
  arn: "arn:aws:iam::111122223333:user/u",
  account: "111122223333",
  userId: "u",
  accessKeyId: undefined,
};

function journalOf(limit: number, calls: number): Journal {
  const journal = new Journal(limit);
  for (let made = 0; made < calls; made += 1) {
    const at = { time: new Date(made), region: "us-east-1", account: caller.account, caller };
    journal.open({ ...at, service: "kms", operation: "Sign", input: made });
  }
  return journal;
}

const sequences = (journal: Journal): readonly number[] => journal.records().map(({ sequence }) => sequence);

describe("the journal", () => {
  it("keeps the latest calls, oldest first, never more than its limit", () => {
    assert.deepEqual(sequences(journalOf(3, 0)), []);
    assert.deepEqual(sequences(journalOf(3, 2)), [1, 2]);
    assert.deepEqual(sequences(journalOf(3, 3)), [1, 2, 3]);
    assert.deepEqual(sequences(journalOf(3, 8)), [6, 7, 8]);
    assert.deepEqual(sequences(journalOf(1, 8)), [8]);
    assert.deepEqual(sequences(journalOf(0, 8)), []);
    assert.deepEqual(sequences(journalOf(2.5, 8)), [7, 8]);
  });

  it("goes on counting after it was cleared", () => {
    const journal = journalOf(3, 8);
    journal.clear();
    assert.deepEqual(sequences(journal), []);
    journal.open({ time: new Date(9), region: "r", account: "a", caller, service: "kms", operation: "Sign", input: 9 });
    assert.deepEqual(sequences(journal), [9]);
  });
});
