/** Escapes, bytes that are no UTF-8, and interpolations, as hcl1 reads them. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: HCL's interpolation looks like JavaScript's
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeUtf8LikeGo } from "./go-utf8.ts";
import { unquote } from "./unquote.ts";

describe("unquote", () => {
  it("reads every escape", () => {
    assert.equal(unquote('\\a\\b\\f\\n\\r\\t\\v\\\\\\"', "hcl"), '\x07\b\f\n\r\t\v\\"');
    assert.equal(unquote("\\u00e9\\U0001F600\\x41\\101\\0601", "hcl"), "é😀AA01");
  });

  it("reads \\x and octal as bytes, which together can be one character", () => {
    assert.equal(unquote("\\xc3\\xa9\\303\\251\\xf0\\x9f\\x98\\x80", "hcl"), "éé😀");
    assert.equal(unquote("a\\xff\\xe2\\x82z", "json"), "a\ufffd\ufffd\ufffdz", "one U+FFFD a byte, as Go has it");
  });

  it("copies ${ } as it stands, escapes and quotes included", () => {
    assert.equal(unquote('\\n${f("\\n", {})}\\n', "hcl"), '\n${f("\\n", {})}\n');
    assert.equal(unquote("$${a}$", "hcl"), "$${a}$");
    assert.equal(unquote("\\u0024{a\\n", "hcl"), "${a\n", "an escaped dollar starts nothing");
  });

  it("has no ${ } in JSON", () => {
    assert.equal(unquote("${\\n", "json"), "${\n");
  });

  it("fails where hcl1 panics", () => {
    assert.equal(unquote("\\400", "hcl"), undefined);
    assert.equal(unquote("\\U00110000", "hcl"), undefined);
    assert.equal(unquote("${\ufffd}", "hcl"), undefined);
    assert.equal(unquote("\\ud83d\\ude00", "json"), undefined, "Go's own unquoting knows no surrogate pairs");
    assert.equal(unquote("\\U00110000", "json"), undefined);
  });

  it("follows hcl1's odder answers", () => {
    assert.equal(unquote("\\ud83d\\ude00", "hcl"), "\ufffd\ufffd");
    assert.equal(unquote("\\UFFFFFF41", "hcl"), "A", "a 32-bit overflow leaves the low byte");
    assert.equal(unquote("\\UFFFFFFC3\\UFFFFFFA9", "hcl"), "é");
    assert.equal(unquote("\ufffd", "hcl"), "\ufffd");
  });
});

describe("decodeUtf8LikeGo", () => {
  it("keeps what is well formed, a byte order mark too", () => {
    assert.equal(decodeUtf8LikeGo(Buffer.from("\ufeffé日😀\u0000")), "\ufeffé日😀\u0000");
  });

  it("gives one U+FFFD for each byte that belongs to no character", () => {
    const cases: [number[], number][] = [
      [[0xc0, 0x80], 2],
      [[0xe0, 0x80, 0x80], 3],
      [[0xed, 0xa0, 0x80], 3],
      [[0xf0, 0x80, 0x80, 0x80], 4],
      [[0xf4, 0x90, 0x80, 0x80], 4],
      [[0xf5], 1],
      [[0xe2, 0x82], 2],
      [[0xf0, 0x9f, 0x98], 3],
    ];
    for (const [bytes, count] of cases) {
      const text = decodeUtf8LikeGo(Buffer.from([0x61, ...bytes, 0x7a]));
      assert.equal(text, `a${"\ufffd".repeat(count)}z`, bytes.join(" "));
    }
  });
});
