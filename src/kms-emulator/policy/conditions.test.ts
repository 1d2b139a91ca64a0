/** Conditions of policies, operator by operator. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type ConditionContext, conditionsHold } from "./conditions.ts";

const context: ConditionContext = new Map<string, readonly string[]>([
  ["aws:username", ["ada"]],
  ["aws:principalarn", ["arn:aws:iam::111122223333:role/app"]],
  ["aws:resourcetag/team", ["spire"]],
  ["kms:resourcealiases", ["alias/a", "alias/b"]],
  ["aws:currenttime", ["2026-06-01T00:00:00.000Z"]],
  ["days", ["7"]],
  ["flag", ["true"]],
]);

/** A policy variable. */
const variable = (name: string): string => ["$", "{", name, "}"].join("");

/** operator, key, wanted values, whether it holds */
const cases: readonly [string, string, string[], boolean][] = [
  ["StringEquals", "aws:username", ["bob", "ada"], true],
  ["StringEquals", "AWS:UserName", ["ada"], true],
  ["StringEquals", "aws:username", ["Ada"], false],
  ["StringEquals", "absent", ["x"], false],
  ["StringEqualsIfExists", "absent", ["x"], true],
  ["StringEqualsIfExists", "aws:username", ["x"], false],
  ["StringEqualsIgnoreCase", "aws:username", ["ADA"], true],
  ["StringNotEquals", "aws:username", ["ada", "bob"], false],
  ["StringNotEquals", "aws:username", ["bob"], true],
  ["StringNotEquals", "absent", ["bob"], true],
  ["StringNotEqualsIgnoreCase", "aws:username", ["ADA"], false],
  ["StringLike", "aws:principalarn", ["arn:aws:iam::*:role/a?p"], true],
  ["StringLike", "aws:username", ["a.a"], false],
  ["StringLike", "aws:resourcetag/team", [variable("aws:username")], false],
  ["StringEquals", "aws:username", [variable("aws:username")], true],
  ["StringEquals", "aws:username", [variable("absent")], false],
  ["StringEquals", "aws:username", [variable("absent, 'ada'")], true],
  ["StringNotLike", "aws:username", ["a*"], false],
  ["ArnLike", "aws:principalarn", ["arn:aws:iam::111122223333:role/*"], true],
  ["ArnEquals", "aws:principalarn", ["arn:aws:iam::111122223333:role/app"], true],
  ["ArnNotLike", "aws:principalarn", ["arn:aws:iam::111122223333:user/*"], true],
  ["ForAnyValue:StringEquals", "kms:resourcealiases", ["alias/b"], true],
  ["ForAnyValue:StringEquals", "kms:resourcealiases", ["alias/c"], false],
  ["ForAnyValue:StringEquals", "absent", ["alias/c"], false],
  ["ForAllValues:StringLike", "kms:resourcealiases", ["alias/*"], true],
  ["ForAllValues:StringEquals", "kms:resourcealiases", ["alias/a"], false],
  ["ForAllValues:StringEquals", "absent", ["x"], true],
  ["ForAnyValue:StringNotEquals", "absent", ["x"], false],
  ["Null", "absent", ["true"], true],
  ["Null", "aws:username", ["true"], false],
  ["Null", "aws:username", ["false"], true],
  ["Bool", "flag", ["true"], true],
  ["Bool", "flag", ["false"], false],
  ["NumericLessThanEquals", "days", ["7"], true],
  ["NumericLessThan", "days", ["7"], false],
  ["NumericGreaterThan", "days", ["6"], true],
  ["NumericNotEquals", "days", ["7"], false],
  ["NumericEquals", "days", ["7.0"], true],
  ["DateLessThan", "aws:currenttime", ["2026-06-02T00:00:00Z"], true],
  ["DateGreaterThan", "aws:currenttime", ["1780272000"], false],
  ["DateGreaterThanEquals", "aws:currenttime", ["1780272000"], true],
];

describe("conditions", () => {
  for (const [operator, key, wanted, holds] of cases) {
    it(`${operator} ${key} ${JSON.stringify(wanted)} ${holds ? "holds" : "does not hold"}`, () => {
      assert.equal(conditionsHold({ [operator]: { [key]: wanted } }, context), holds);
    });
  }

  it("must all hold", () => {
    const good = { "aws:username": ["ada"] };
    assert.ok(conditionsHold({}, context));
    assert.ok(conditionsHold({ StringEquals: good, StringLike: good }, context));
    assert.ok(!conditionsHold({ StringEquals: { ...good, flag: ["no"] } }, context));
    assert.ok(!conditionsHold({ StringEquals: good, Bool: { flag: ["false"] } }, context));
  });
});
