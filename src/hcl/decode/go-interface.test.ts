/** Decoding by the rules of Go: repeated keys, types, integers, letter case. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseHcl } from "../parse-hcl.ts";
import { foldCase } from "./fold-case.ts";
import { parseGoInteger } from "./go-integer.ts";
import { toGoInterface } from "./go-interface.ts";
import { decodeHcl } from "./plain-data.ts";

function decoded(text: string): unknown {
  return JSON.parse(JSON.stringify(decodeHcl(text)));
}

function refuses(text: string, code: string): void {
  assert.throws(() => decodeHcl(text), { name: "HclError", code }, text);
}

describe("decodeHcl", () => {
  it("makes lists of maps of objects, except inside lists", () => {
    assert.deepEqual(decoded("a { b = 1 }\nc = [{ d = { e = 2 } }]"), { a: [{ b: 1 }], c: [{ d: [{ e: 2 }] }] });
    assert.deepEqual(decoded('a "b" "c" { d = 1 }'), { a: [{ b: [{ c: [{ d: 1 }] }] }] });
  });

  it("appends repeated blocks and lists", () => {
    assert.deepEqual(decoded("a { b = 1 }\na = { b = 2 }\na = [{ b = 3 }]"), { a: [{ b: 1 }, { b: 2 }, { b: 3 }] });
    assert.deepEqual(decoded("a = [1]\na = [2]\na { b = 3 }"), { a: [1, 2, { b: 3 }] });
  });

  it("reads a repeated scalar as the type the first one had", () => {
    assert.deepEqual(decoded('a = 1\na = "0x_10"'), { a: 16 });
    assert.deepEqual(decoded('a = "x"\na = 007'), { a: "007" });
    assert.deepEqual(decoded("a = 1.5\na = 010"), { a: 10 });
    assert.deepEqual(decoded("a = true\na = false"), { a: false });
    for (const text of [
      'a = true\na = "x"',
      'a = "x"\na = 1.5',
      "a = 1\na = 1.5",
      "a = 1.5\na = true",
      "a = 1\na {}",
      "a {}\na = 1",
    ]) {
      refuses(text, "WRONG_TYPE");
    }
    refuses('a = 1\na = "x"', "INVALID_NUMBER");
    refuses("a = 1.5\na = 0x1", "INVALID_NUMBER");
  });

  it("gathers labelled blocks under each spelling of their key, letter case ignored", () => {
    assert.deepEqual(decoded('a "x" {}\na "y" {}'), { a: [{ x: [{}] }, { y: [{}] }] });
    assert.deepEqual(decoded('A "x" {}\na "y" {}'), { A: [{ x: [{}] }, { y: [{}] }], a: [{ x: [{}] }, { y: [{}] }] });
    refuses('a "x" {}\na {}', "WRONG_TYPE");
    refuses('a {}\na "x" {}', "WRONG_TYPE");
    refuses('a = [1]\na "x" {}', "WRONG_TYPE");
  });

  it("keeps integers exact to 64 bits and refuses what Go's numbers cannot hold", () => {
    assert.deepEqual(
      { ...decodeHcl("a = 9223372036854775807\nb = 9007199254740991") },
      { a: 2n ** 63n - 1n, b: 2 ** 53 - 1 },
    );
    refuses("a = 9223372036854775808", "INVALID_NUMBER");
    refuses("a = 08", "INVALID_NUMBER");
    refuses("a = 1e400", "INVALID_NUMBER");
    assert.deepEqual(decoded("a = 1e-400"), { a: 0 });
  });

  it("tells int from float for those who ask", () => {
    const { entries } = toGoInterface(parseHcl("a = 1\nb = 1.0"));
    assert.deepEqual(
      [entries.get("a"), entries.get("b")],
      [
        { type: "int", value: 1n },
        { type: "float", value: 1 },
      ],
    );
  });

  it("is safe with keys named like JavaScript's own", () => {
    const result = decodeHcl('__proto__ { admin = true }\nconstructor = "x"');
    assert.deepEqual(Object.keys(result), ["__proto__", "constructor"]);
    assert.equal("admin" in {}, false);
  });
});

describe("parseGoInteger", () => {
  it("reads what Go's ParseInt reads with base 0", () => {
    const cases: [string, bigint][] = [
      ["0", 0n],
      ["-0", 0n],
      ["+12", 12n],
      ["017", 15n],
      ["0o17", 15n],
      ["0b101", 5n],
      ["0xfF", 255n],
      ["1_000", 1000n],
      ["0x_ff", 255n],
      ["0_7", 7n],
      ["-9223372036854775808", -(2n ** 63n)],
      [`0${"0".repeat(5000)}7`, 7n],
    ];
    for (const [text, value] of cases) assert.equal(parseGoInteger(text), value, text);
  });

  it("refuses everything else", () => {
    for (const text of [
      "",
      "-",
      "+",
      "08",
      "0x",
      "1__0",
      "_1",
      "1_",
      "1.0",
      " 1",
      "1e3",
      "9223372036854775808",
      "9".repeat(100_000),
    ]) {
      assert.equal(parseGoInteger(text), undefined, text.slice(0, 30));
    }
  });
});

describe("foldCase", () => {
  /** Folds Unicode 15.1 added; hcl1 is built with older tables, and dotless i is no member of i's class in either. */
  const newerFolds = new Set([0x390, 0x1fd3, 0x3b0, 0x1fe3, 0xfb05, 0xfb06]);

  it("joins exactly what simple case folding joins, for every character there is", () => {
    const characters: string[] = [];
    for (let code = 0; code <= 0x1ffff; code++) {
      const char = String.fromCodePoint(code);
      if (/[\p{Changes_When_Casemapped}\p{Changes_When_Casefolded}]/u.test(char) && !newerFolds.has(code))
        characters.push(char);
    }
    assert.ok(characters.length > 2500);
    const byFold = new Map<string, string[]>();
    for (const char of characters) byFold.set(foldCase(char), [...(byFold.get(foldCase(char)) ?? []), char]);
    const all = characters.join("");
    for (const char of characters) {
      const expected = all.match(new RegExp(`\\u{${(char.codePointAt(0) ?? 0).toString(16)}}`, "giu"));
      assert.deepEqual(byFold.get(foldCase(char)), [...(expected ?? [])], char);
    }
  });

  it("folds texts character by character", () => {
    assert.equal(foldCase("Key_TAGS.1"), "key_tags.1");
    assert.equal(foldCase("ſ\u212aΣς"), foldCase("SkσΣ"));
    assert.notEqual(foldCase("ß"), foldCase("ss"));
    assert.notEqual(foldCase("ı"), foldCase("i"));
  });
});
