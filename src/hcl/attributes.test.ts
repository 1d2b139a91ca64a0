/** Keys with all their values; labels as objects. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { attributes } from "./attributes.ts";
import { parseHcl } from "./parse-hcl.ts";

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
