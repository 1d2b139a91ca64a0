/** Environment variables in server.conf, case by case as Go has them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { expandEnv } from "./expand-env.ts";

describe("expandEnv", () => {
  const env = { REGION: "eu-west-1", A_1: "x", EMPTY: "", "1": "never a position" };

  // As Go's os.Expand has it with SPIRE's mapping; § stands for the dollar sign.
  const cases: readonly (readonly [string, string])[] = [
    ['region = "$REGION"', 'region = "eu-west-1"'],
    ['region = "§{REGION}"', 'region = "eu-west-1"'],
    ["$REGION-$A_1.", "eu-west-1-x."],
    ["$REGIONS", ""],
    ["$UNSET§{UNSET}$EMPTY|", "|"],
    ["$$", "$"],
    ["$§{REGION}", "§{REGION}"],
    ["cost: 5$", "cost: 5$"],
    ["a $ b", "a $ b"],
    ["$.", "$."],
    ["§{}", ""],
    ["§{REGION", "REGION"],
    ["§{A B}", ""],
    ["$1|", "never a position|"],
    ["§{1}|", "never a position|"],
    ["$*$#$@$!$?$-|", "|"],
    ["ä$REGION€", "äeu-west-1€"],
    ["", ""],
    ["$", "$"],
  ];
  for (const [text, expanded] of cases.map((each) => each.map((part) => part.replaceAll("§", "$")))) {
    if (text === undefined || expanded === undefined) continue;
    it(`makes ${JSON.stringify(expanded)} of ${JSON.stringify(text)}`, () =>
      assert.equal(expandEnv(text, env), expanded));
  }
});
