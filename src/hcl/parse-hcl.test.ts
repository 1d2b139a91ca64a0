/** The native form: values, positions, refusals, and texts made to exhaust the parser. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { HclValue } from "./ast.ts";
import { decodeHcl } from "./decode/plain-data.ts";
import { HclError, maxNesting } from "./errors.ts";
import { parseHcl } from "./parse-hcl.ts";

/** The tree without positions: `[keys…, value]` an item. */
type Outline = string | number | boolean | { list: Outline[] } | { items: [string[], Outline][] };

function outline(value: HclValue): Outline {
  switch (value.kind) {
    case "list":
      return { list: value.items.map(outline) };
    case "object":
      return { items: value.items.map((item) => [item.keys.map((key) => key.name), outline(item.value)]) };
    default:
      return value.value;
  }
}

function parsed(text: string): Outline {
  return outline(parseHcl(text));
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

describe("parseHcl, HCL form", () => {
  it("reads block, attribute and labelled form", () => {
    assert.deepEqual(parsed('a { b = 1 }\nc = { d = 2 }\ne "f" g { }'), {
      items: [
        [["a"], { items: [[["b"], 1]] }],
        [["c"], { items: [[["d"], 2]] }],
        [["e", "f", "g"], { items: [] }],
      ],
    });
    assert.deepEqual(
      parseHcl("a {}\nb = {}").items.map((item) => item.isAssigned),
      [false, true],
    );
  });

  it("keeps repeated keys apart, in order", () => {
    assert.deepEqual(parsed("a = 1\nb = 2\na = 3"), {
      items: [
        [["a"], 1],
        [["b"], 2],
        [["a"], 3],
      ],
    });
  });

  it("wants nothing between items and allows one comma after each", () => {
    const two = {
      items: [
        [["a"], 1],
        [["b"], 2],
      ],
    };
    for (const text of ["a=1\nb=2", "a=1 b=2", "a=1,b=2,", "a=1,\nb=2", "a=1b=2", "\r\na=1\r\nb=2\r\n"]) {
      assert.deepEqual(parsed(text), two, text);
    }
    assert.equal(refusal("a=1,,b=2"), "UNEXPECTED_TOKEN 1:5");
    assert.equal(refusal(",a=1"), "UNEXPECTED_TOKEN 1:1");
    assert.equal(refusal("a { , }"), "UNEXPECTED_TOKEN 1:5");
  });

  it("lets keys and values stand on different lines", () => {
    assert.deepEqual(parsed("a\n=\n1\nb\n{\n}"), {
      items: [
        [["a"], 1],
        [["b"], { items: [] }],
      ],
    });
  });

  it("takes lists of anything, and any commas in them", () => {
    assert.deepEqual(parsed('a = [1, "x", true, [2], {b = 3},]'), {
      items: [[["a"], { list: [1, "x", true, { list: [2] }, { items: [[["b"], 3]] }] }]],
    });
    assert.deepEqual(parsed("a = [,,1,,2]"), { items: [[["a"], { list: [1, 2] }]] });
    assert.deepEqual(parsed("a = [[1][2] 3]"), { items: [[["a"], { list: [{ list: [1] }, { list: [2] }, 3] }]] });
    assert.equal(refusal("a = [1 2]"), "UNEXPECTED_TOKEN 1:8");
    assert.equal(refusal("a = [1 [2]]"), "UNEXPECTED_TOKEN 1:8");
    assert.equal(refusal("a = [b]"), "UNEXPECTED_TOKEN 1:6");
    assert.equal(refusal("a = [1"), "UNEXPECTED_END 1:7");
  });

  it("drops a last key that has = and no value, as hcl1 does", () => {
    assert.deepEqual(parsed("a = 1\nb ="), { items: [[["a"], 1]] });
    assert.equal(refusal("a { b ="), "UNEXPECTED_END 1:8");
    assert.equal(refusal("a { b = }"), "UNEXPECTED_TOKEN 1:9");
  });

  it("refuses what does not fit, and says where", () => {
    assert.equal(refusal("a"), "UNEXPECTED_END 1:2");
    assert.equal(refusal("a 1"), "UNEXPECTED_TOKEN 1:3");
    assert.equal(refusal("= 1"), "UNEXPECTED_TOKEN 1:1");
    assert.equal(refusal("a b = 1"), "UNEXPECTED_TOKEN 1:5");
    assert.equal(refusal("a = b"), "UNEXPECTED_TOKEN 1:5");
    assert.equal(refusal("a = 1 }"), "UNEXPECTED_TOKEN 1:7");
    assert.equal(refusal("a {\n b = 1"), "UNEXPECTED_END 2:7");
    assert.equal(refusal("true = 1"), "UNEXPECTED_TOKEN 1:1");
    assert.equal(refusal("1 = 1"), "UNEXPECTED_TOKEN 1:1");
    assert.equal(refusal("a = null"), "UNEXPECTED_TOKEN 1:5");
    assert.equal(refusal("a = -x"), "UNEXPECTED_TOKEN 1:5");
  });

  it("says what it wanted and what it found, and never quotes the text", () => {
    assert.throws(() => parseHcl("secret_access_key = wJalrXUtnFEMI"), {
      message: "line 1, column 21: expected a value, found a bare word",
    });
    assert.throws(() => parseHcl('secret_access_key "wJalrXUtnFEMI"'), {
      message: 'line 1, column 34: expected "{" after the labels, found the end of the text',
    });
    assert.throws(() => parseHcl('a "b" = 1'), {
      message: 'line 1, column 7: expected "{" after the labels, found "="',
    });
  });

  it("keeps a number's text", () => {
    const numbers = parseHcl("a = [18446744073709551616, 0x1F, 017, 1.50, 08]").items[0]?.value;
    assert.ok(numbers?.kind === "list");
    assert.deepEqual(
      numbers.items.map((item) => item.kind === "number" && [item.text, item.value, item.isInteger]),
      [
        ["18446744073709551616", 2 ** 64, true],
        ["0x1F", 31, true],
        ["017", 15, true],
        ["1.50", 1.5, false],
        ["08", Number.NaN, true],
      ],
    );
  });

  it("refuses literals that cannot be read", () => {
    assert.equal(refusal("a = 1e"), "INVALID_NUMBER 1:5");
    assert.equal(refusal("a = .5e3"), "UNEXPECTED_TOKEN 1:8");
    assert.equal(refusal('a = "\\777"'), "INVALID_ESCAPE 1:5");
    assert.equal(refusal('"\\777" = 1'), "INVALID_ESCAPE 1:1");
  });

  it("gives every key and value its place", () => {
    const [item] = parseHcl('\n  a "b" {\n    c = [ 1 ]\n  }').items;
    assert.deepEqual(
      item?.keys.map((key) => [key.name, key.isQuoted, key.position]),
      [
        ["a", false, { line: 2, column: 3 }],
        ["b", true, { line: 2, column: 5 }],
      ],
    );
    assert.deepEqual(item?.value.position, { line: 2, column: 9 });
    assert.ok(item?.value.kind === "object");
    const list = item.value.items[0]?.value;
    assert.ok(list?.kind === "list");
    assert.deepEqual(list.position, { line: 3, column: 9 });
    assert.deepEqual(list.items[0]?.position, { line: 3, column: 11 });
  });
});

describe("parseHcl, nesting", () => {
  it("accepts the stated limit and refuses one more, whatever is nested", () => {
    const shapes: [open: string, close: string][] = [
      ["[", "]"],
      ["{ a = ", "}"],
    ];
    for (const [open, close] of shapes) {
      const nested = (depth: number) => `a = ${open.repeat(depth)}1${close.repeat(depth)}`;
      assert.equal(refusal(nested(maxNesting - 1)), "accepted");
      decodeHcl(nested(maxNesting - 1));
      assert.match(refusal(nested(maxNesting)), /^TOO_DEEP/);
    }
    const json = (depth: number) => `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`;
    decodeHcl(json(maxNesting));
    assert.match(refusal(json(maxNesting + 1)), /^TOO_DEEP/);
    const labels = (count: number) => `${'"x" '.repeat(count)}{}`;
    assert.equal(refusal(labels(maxNesting - 1)), "accepted");
    decodeHcl(labels(maxNesting - 1));
    assert.match(refusal(labels(maxNesting)), /^TOO_DEEP/);
  });

  it("does not overflow the stack, however deep the text", () => {
    for (const open of ["a = [", "[", "{ a = ", "a { ", '{"a":', '{"a":[{', '{"a" "b":']) {
      const text = `a = ${open.repeat(200_000)}`;
      assert.match(refusal(text), /^(TOO_DEEP|UNEXPECTED|INVALID_CHARACTER)/);
      assert.match(refusal(open.repeat(200_000)), /^(TOO_DEEP|UNEXPECTED|INVALID_CHARACTER)/);
    }
    assert.match(refusal(`{${'"a" '.repeat(200_000)}:{}}`), /^TOO_DEEP/);
    assert.match(refusal(`${"a ".repeat(200_000)}{}`), /^TOO_DEEP/);
  });

  it("reads a text of megabytes", () => {
    const count = 60_000;
    const text = Array.from({ length: count }, (_, index) => `key_${index} = "value ${index}" # comment\n`).join("");
    assert.equal(parseHcl(text).items.length, count);
    assert.equal(parseHcl(text.replaceAll(/#.*\n/g, "")).items.length, count, "on a single line");
    const repeated = decodeHcl("a = [1]\n".repeat(count)).a;
    assert.ok(Array.isArray(repeated) && repeated.length === count);
    const labelled = decodeHcl(Array.from({ length: count }, (_, index) => `a${index} "l" {}\n`).join(""));
    assert.equal(Object.keys(labelled).length, count);
    assert.equal(refusal(`a = "${"x".repeat(4_000_000)}`), "UNTERMINATED_STRING 1:5");
    assert.equal(refusal(`/*${"*".repeat(4_000_000)}`), "UNTERMINATED_COMMENT 1:1");
    assert.equal(refusal(`a = ${"9".repeat(1_000_000)}`), "accepted");
    assert.equal(refusal(`a = <<\r\r\n${"\r".repeat(1_000_000)}x\n`), "UNTERMINATED_HEREDOC 1:5");
  });
});
