/** A secret in the wrong setting is not told in the error about it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { duration, matching, shown, wholeNumber } from "./schemas.ts";

const secretKey = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const token = `IQoJb3JpZ2luX2VjEJr${"Aa1+/".repeat(60)}==`;

describe("a secret in the wrong setting", () => {
  it("is not told whole, its beginning is", () => {
    assert.equal(shown(secretKey), '"wJal…"');
    assert.equal(shown("AKIAIOSFODNN7EXAMPLE"), '"AKIA…"');
    assert.equal(shown("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"), '"eyJh…"');
    assert.equal(shown(token), '"IQoJ…"');
    assert.equal(shown(`a\n${secretKey}"`), '"a\\nwJal…\\""');
    assert.equal(shown({ Team: secretKey }), '{"Team":"wJal…"}');
    assert.equal(shown([secretKey]), '["wJal…"]');
  });

  it("whatever the setting", () => {
    for (const schema of [matching(/^[a-z]+-\d$/, "must be a Region"), duration(0), wholeNumber(1, 2)]) {
      const { issues } = v.safeParse(schema, secretKey);
      assert.match(issues?.[0].message ?? "", /wJal…/);
      assert.doesNotMatch(JSON.stringify(issues?.map(({ message }) => message)), /wJalr/);
    }
  });

  it("other values are told", () => {
    for (const value of [
      "us-east-2x",
      "90 minutes",
      "123e4567-e89b-12d3-a456-426614174000",
      "arn:aws:iam::111122223333:role/path/Spire-Server-Role-Number-12345",
      "/etc/spire/server/key-policy.json",
    ]) {
      assert.equal(shown(value), JSON.stringify(value));
    }
    assert.equal(shown("-".repeat(100)).length, 81);
  });
});
