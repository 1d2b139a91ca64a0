/** `plugin_data` as text into settings. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { readPluginData } from "./plugin-data.ts";

describe("plugin_data", () => {
  const same: ReadonlyArray<readonly [title: string, text: string]> = [
    ["attribute form", 'region = "r"\nkey_tags = { a = "1", b = 2 }'],
    ["block form", 'region = "r"\nkey_tags { a = "1"\n b = 2 }'],
    ["repeated blocks", 'key_tags { a = "1" }\nregion = "r"\nkey_tags { b = 2 }'],
    ["quoted keys and comments", '# c\n"region" = "r" // c\n/* c */ "key_tags" { "a" = "1" "b" = 2 }'],
    ["a heredoc", 'region = "r"\nkey_tags { a = <<E\n1\nE\n b = 2 }'],
    ["JSON", '{"region": "r", "key_tags": {"a": "1", "b": 2}}'],
    ["JSON with a list of objects", '{"region": "r", "key_tags": [{"a": "1"}, {"b": 2}]}'],
  ];
  for (const [title, text] of same) {
    it(`reads ${title}`, () => {
      const { settings, problems } = readPluginData(text);
      assert.deepEqual(problems, []);
      const a = title === "a heredoc" ? "1\n" : "1";
      assert.deepEqual(settings, { region: "r", key_tags: { a, b: { number: "2" } } });
    });
  }

  it("reads an empty configuration", () => {
    assert.deepEqual(readPluginData(""), { settings: {}, problems: [] });
  });

  it("keeps booleans, numbers' text and lists", () => {
    assert.deepEqual(readPluginData('a = true\nb = 007\nc = ["x", 1]').settings, {
      a: true,
      b: { number: "007" },
      c: ["x", { number: "1" }],
    });
  });

  it("reports a setting given twice", () => {
    assert.deepEqual(readPluginData('region = "a"\n\nregion = "b"').problems, [
      "region: given more than once (lines 1 and 3); keep one",
    ]);
  });

  it("tells where the text is no HCL, without quoting it", () => {
    const { settings, problems } = readPluginData('region = "us-east-2"\nsecret_access_key = "hunter2');
    assert.equal(settings, undefined);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? "", /^plugin_data: unable to decode configuration: line 2, column 21: /);
    assert.doesNotMatch(problems[0] ?? "", /hunter2/);
  });

  it("cannot be tricked by names of Object.prototype", () => {
    const { settings } = readPluginData('__proto__ { region = "x" }\nconstructor = "y"');
    assert.equal(Object.getPrototypeOf(settings), Object.prototype);
    assert.deepEqual(Object.keys(settings ?? {}).sort(), ["__proto__", "constructor"]);
  });
});
