/** A configuration's problems, told in a length that a log can take. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseConfig } from "../aws-kms/settings.ts";
import { readPluginData } from "./plugin-data.ts";
import { toldProblems } from "./problems.ts";

describe("problems that are told", () => {
  it("are all of them, up to fifty; what is left out is counted", () => {
    const problems = Array.from({ length: 60 }, (_, index) => `problem ${index}`);
    assert.deepEqual(toldProblems(problems.slice(0, 50)), problems.slice(0, 50));
    assert.deepEqual(toldProblems(problems), [...problems.slice(0, 50), "and 10 more problems"]);
  });

  it("are not longer than a line can be", () => {
    assert.ok((toldProblems(["x".repeat(1_000_000)])[0] ?? "").length < 1_100);
  });

  const count = 20_000;
  const many: readonly (readonly [title: string, text: string, words: RegExp])[] = [
    [
      "unknown settings",
      Array.from({ length: count }, (_, index) => `setting_number_${index} = "x"`).join("\n"),
      /^plugin_data: 19980 more unknown settings; remove them$/m,
    ],
    [
      "unknown settings in JSON",
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, index) => [`regio${index}`, "x"]))),
      /^plugin_data: 19980 more unknown settings; remove them$/m,
    ],
    [
      "lines with one setting",
      Array.from({ length: count }, () => 'region = "us-east-2"').join("\n"),
      /^region: given more than once \(lines 1 and 2 and 3 and 4 and 5, and 19995 times more\); keep one$/m,
    ],
    [
      "objects with one setting",
      JSON.stringify({ key_tags: Array.from({ length: count }, () => ({ Team: "x" })) }),
      /^key_tags\.Team: given more than once .* and 19995 times more/m,
    ],
    [
      "wrong tags",
      `key_tags {\n${Array.from({ length: count }, (_, index) => `"spire-${index}" = "x"`).join("\n")}\n}`,
      /^and 19\d{3} more problems$/m,
    ],
  ];
  for (const [title, text, words] of many) {
    it(`are few, whatever the number of ${title}`, () => {
      const told = toldProblems(parseConfig("example.org", readPluginData(text)).problems).join("\n");
      assert.match(told, words);
      assert.ok(told.length < 60_000);
    });
  }
});
