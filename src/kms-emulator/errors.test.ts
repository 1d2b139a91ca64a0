/** Suggestions for wrong names. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { didYouMean } from "./errors.ts";

describe("didYouMean", () => {
  const known = ["CreateKey", "CreateAlias", "DescribeKey", "Sign", "region", "account"];
  for (const [wrong, suggested] of [
    ["CreatKey", "CreateKey"],
    ["createkey", "CreateKey"],
    ["Sing", "Sign"],
    ["DescribeKeys", "DescribeKey"],
    ["regions", "region"],
    ["acount", "account"],
  ] as const) {
    it(`${wrong} was meant to be ${suggested}`, () =>
      assert.equal(didYouMean(wrong, known), `; did you mean ${suggested}?`));
  }

  it("says nothing where nothing is near", () => {
    assert.equal(didYouMean("PutObject", known), "");
    assert.equal(didYouMean("", known), "");
    assert.equal(didYouMean("x", []), "");
  });
});
