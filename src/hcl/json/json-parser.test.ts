/** The JSON form, with all that hcl1 forgives in it. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: HCL's interpolation looks like JavaScript's
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeHcl } from "../decode/plain-data.ts";
import { HclError } from "../errors.ts";
import { parseHcl } from "../parse-hcl.ts";

function json(text: string): unknown {
  return JSON.parse(JSON.stringify(decodeHcl(text)));
}

function refusal(text: string): string {
  try {
    parseHcl(text);
  } catch (error) {
    assert.ok(error instanceof HclError, String(error));
    return `${error.code} ${error.line}:${error.column}`;
  }
  return "accepted";
}

describe("parseHcl, JSON form", () => {
  it("is chosen by { as the first character that is not white space", () => {
    assert.deepEqual(json('\n\t{"a": 1}'), { a: 1 });
    assert.equal(refusal("{a = 1}"), "UNEXPECTED_TOKEN 1:2");
    assert.equal(refusal('\u00a0{"a":1}'), "INVALID_CHARACTER 1:1", "space to hcl1's choice, not to its JSON scanner");
    assert.equal(refusal('\ufeff{"a":1}'), "INVALID_CHARACTER 1:1");
  });

  it("reads literals; null is an empty string", () => {
    assert.deepEqual(json('{"a": "x\\n", "b": -1, "c": 1.5e3, "d": true, "e": null}'), {
      a: "x\n",
      b: -1,
      c: 1500,
      d: true,
      e: "",
    });
    const item = parseHcl('{"a": null}').items[0]?.value;
    assert.ok(item?.kind === "string" && item.form === "null");
  });

  it("leaves ${ alone", () => {
    assert.deepEqual(json('{"a": "${", "b": "${x}"}'), { a: "${", b: "${x}" });
  });

  it("makes labels of objects that hold only objects, and rows of blocks of lists of objects", () => {
    const keys = (text: string) => parseHcl(text).items.map((item) => item.keys.map((key) => key.name).join(" "));
    assert.deepEqual(keys('{"a": {"b": {"c": 1}, "d": {}}}'), ["a b", "a d"]);
    assert.deepEqual(keys('{"a": {"b": {}, "c": 1}}'), ["a"]);
    assert.deepEqual(keys('{"a": [{"b": {"c": {}}}, {}], "d": 1}'), ["a b c", "a", "d"]);
    assert.deepEqual(keys('{"a" "b": 1}'), ["a b"]);
    assert.deepEqual(json('{"tags": {"k": "v"}}'), json('tags { k = "v" }'));
    assert.deepEqual(json('{"tags": [{"k": "v"}, {"l": "w"}]}'), json('tags { k = "v" }\ntags { l = "w" }'));
  });

  it("is as lax as hcl1's parser", () => {
    assert.deepEqual(json('{"a": 1'), { a: 1 });
    assert.deepEqual(json('{"a": 1} anything'), { a: 1 });
    assert.deepEqual(json('{"a": 1, }'), { a: 1 });
    assert.deepEqual(json('{"a": 1, "b": }'), { a: 1 });
    assert.deepEqual(json('{"a": 1 "b": 2}'), { a: 1 });
    assert.deepEqual(json('{"a": [1 2,,3, true]}'), { a: [1, 2, 3] });
    assert.deepEqual(json('{"a": [[1]]}'), { a: [1] });
    assert.deepEqual(json('{"a":{"b":1,\0,"c":2}'), { a: [{ b: 1 }], c: 2 });
    assert.deepEqual(json('{"a": ["\\777", }'), {}, "a literal that is not asked for is never read");
  });

  it("refuses the rest, and says where", () => {
    assert.equal(refusal('{"a": 01}'), "INVALID_NUMBER 1:7");
    assert.equal(refusal('{"a":0'), "INVALID_NUMBER 1:6");
    assert.equal(refusal('{"a": 0x1}'), "UNEXPECTED_TOKEN 1:8");
    assert.equal(refusal('{"a": nul}'), "UNEXPECTED_TOKEN 1:7");
    assert.equal(refusal('{"a": 1 # x'), "INVALID_CHARACTER 1:9");
    assert.equal(refusal('{"a": "\\/"}'), "INVALID_ESCAPE 1:8");
    assert.equal(refusal('{"a": "\\ud83d\\ude00"}'), "INVALID_ESCAPE 1:7");
    assert.equal(refusal('{"a": "x'), "UNTERMINATED_STRING 1:7");
    assert.equal(refusal('{"a": [1'), "UNEXPECTED_END 1:9");
    assert.equal(refusal('{"a": [null]}'), "UNEXPECTED_TOKEN 1:8");
    assert.equal(refusal('{\n "a"; 1}'), "INVALID_CHARACTER 2:5");
    assert.equal(refusal("{: 1}"), "UNEXPECTED_TOKEN 1:2");
    assert.equal(refusal('{"a": "\ud800"}'), "INVALID_CHARACTER 1:8");
    assert.equal(refusal('{"a":1\0}'), "INVALID_NUMBER 1:6");
  });
});
