import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { attributes, boolField, stringField, stringMapField, unknownKeys } from "./attributes.ts";
import { parseHcl } from "./parse-hcl.ts";

function entries(text: string): Record<string, string> | undefined {
  const map = stringMapField(parseHcl(text), "m");
  return map && Object.fromEntries([...map].map(([key, { value }]) => [key, value]));
}

describe("attributes", () => {
  it("gives all values of each key, in order", () => {
    const found = attributes(parseHcl("a = 1\nb {}\na = 2"));
    assert.deepEqual([...found.keys()], ["a", "b"]);
    assert.deepEqual(
      found.get("a")?.map((value) => value.kind === "number" && value.value),
      [1, 2],
    );
  });

  it("nests labels as objects", () => {
    const [value] = attributes(parseHcl('a "b" "c" { d = 1 }')).get("a") ?? [];
    assert.ok(value?.kind === "object");
    assert.deepEqual(value.position, { line: 1, column: 3 });
    const [inner] = attributes(value).get("b") ?? [];
    assert.ok(inner?.kind === "object");
    assert.deepEqual([...attributes(inner).keys()], ["c"]);
  });
});

describe("stringField", () => {
  it("ignores the key's letter case and takes the last value", () => {
    assert.equal(stringField(parseHcl('REGION = "a"\nregion = "b"'), "Region"), "b");
    assert.equal(stringField(parseHcl('other = "a"'), "region"), undefined);
  });

  it("takes heredocs, integers as they are written, and JSON's null", () => {
    assert.equal(stringField(parseHcl("s = <<E\nx\nE\n"), "s"), "x\n");
    assert.equal(stringField(parseHcl("s = 0123"), "s"), "0123");
    assert.equal(stringField(parseHcl("s = 99999999999999999999"), "s"), "99999999999999999999");
    assert.equal(stringField(parseHcl('{"s": null}'), "s"), "");
  });

  it("refuses anything else, naming key and place but not the value", () => {
    for (const value of ["1.5", "true", "[]", "{}"]) {
      assert.throws(
        () => stringField(parseHcl(`\ns = ${value}`), "s"),
        { code: "wrong_type", line: 2, column: 5 },
        value,
      );
    }
    assert.throws(() => stringField(parseHcl('s "label" {}'), "s"), {
      message: "line 1, column 3: s: expected a string, found an object",
    });
    assert.throws(() => stringField(parseHcl('s = 1.5\ns = "fine"'), "s"), { code: "wrong_type" });
  });
});

describe("boolField", () => {
  it("takes true and false only", () => {
    assert.equal(boolField(parseHcl("b = true\nB = false"), "b"), false);
    assert.equal(boolField(parseHcl(""), "b"), undefined);
    assert.throws(() => boolField(parseHcl('b = "true"'), "b"), { code: "wrong_type" });
  });
});

describe("stringMapField", () => {
  it("reads block, attribute and JSON form alike", () => {
    const wanted = { a: "1", "b c": "x" };
    assert.deepEqual(entries('m { a = "1" "b c" = "x" }'), wanted);
    assert.deepEqual(entries('m = { a = 1, "b c" = "x" }'), wanted);
    assert.deepEqual(entries('{"m": {"a": 1, "b c": "x"}}'), wanted);
    assert.deepEqual(entries('{"m": [{"a": 1}, {"b c": "x"}]}'), wanted);
    assert.deepEqual(entries('m { a = "1" }\nM { "b c" = "x" }'), wanted);
  });

  it("merges, later entries winning, and keeps the case of their names", () => {
    assert.deepEqual(entries("m { a = 1 }\nm { a = 2 A = 3 }"), { a: "2", A: "3" });
    assert.deepEqual(entries('{"m": {"a": "1"}, "m" "a": "2"}'), { a: "1" }, "labelled items are read first");
  });

  it("tells an empty map from none", () => {
    assert.deepEqual(entries("m {}"), {});
    assert.equal(entries("n {}"), undefined);
  });

  it("gives each entry its place", () => {
    assert.deepEqual(stringMapField(parseHcl("m {\n  a = 1\n}"), "m")?.get("a")?.position, { line: 2, column: 3 });
  });

  it("refuses values that are no map of strings", () => {
    for (const text of ["m = 1", "m = [{ a = 1 }]", "m { a = true }", "m { a {} }", 'm "a" {}', '{"m": {"a": {}}}']) {
      assert.throws(() => entries(text), { code: "wrong_type" }, text);
    }
  });
});

describe("unknownKeys", () => {
  it("lists keys no field answers to", () => {
    const keys = unknownKeys(parseHcl('Region = "x"\nregoin = "y"\nlabel "a" {}'), ["region", "key_tags"]);
    assert.deepEqual(
      keys.map((key) => [key.name, key.position.line]),
      [
        ["regoin", 2],
        ["label", 3],
      ],
    );
  });
});
