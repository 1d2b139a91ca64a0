/** Printed data is read back unchanged; what HCL 1 cannot say is refused. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: HCL's interpolation looks like JavaScript's
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeHcl } from "./decode/plain-data.ts";
import { maxNesting } from "./errors.ts";
import { type PrintableObject, type PrintableValue, printHcl } from "./printer.ts";

function refuses(value: unknown): void {
  const data = { a: value } as PrintableObject;
  assert.throws(() => printHcl(data), { name: "HclError", code: "UNPRINTABLE", line: 0 });
}

describe("printHcl", () => {
  it("prints one item a line, nested ones indented", () => {
    const data = {
      region: "us-east-2",
      n: 1,
      on: true,
      "key tags": { a: "1", empty: {} },
      list: [1, { b: "x" }, []],
      left: undefined,
    };
    assert.equal(
      printHcl(data),
      [
        'region = "us-east-2"',
        "n = 1",
        "on = true",
        '"key tags" = {',
        '  a = "1"',
        "  empty = {}",
        "}",
        "list = [",
        "  1,",
        "  {",
        '    b = "x"',
        "  },",
        "  [],",
        "]",
        "",
      ].join("\n"),
    );
  });

  it("quotes what would be read as something else", () => {
    const strings = [
      'say "hi"',
      "back\\slash",
      "${interpolation}",
      "$${x}",
      "${",
      "a\nb\r\tc",
      "\u0000\u0007\u007f\u0085",
      "\ue123",
      "é😀\ufeff\ufffd",
    ];
    for (const text of strings) {
      assert.equal(decodeHcl(printHcl({ a: text })).a, text);
      assert.deepEqual({ ...decodeHcl(printHcl({ [text]: 1 })) }, { [text]: 1 });
    }
    assert.equal(printHcl({ true: 1, "1a": 2, "a.b-c": 3, "": 4 }), '"true" = 1\n"1a" = 2\na.b-c = 3\n"" = 4\n');
  });

  it("prints numbers so that they come back the same", () => {
    const numbers: PrintableValue[] = [
      0,
      -1,
      0.1,
      1e21,
      -1e-7,
      5e-324,
      Number.MAX_VALUE,
      2 ** 53,
      2 ** 70,
      -(2n ** 63n),
      2n ** 63n - 1n,
      5n,
    ];
    for (const number of numbers)
      assert.equal(decodeHcl(printHcl({ a: number })).a, typeof number === "bigint" && number === 5n ? 5 : number);
    assert.ok(Object.is(decodeHcl(printHcl({ a: -0 })).a, -0));
  });

  it("refuses what HCL cannot say", () => {
    for (const value of [
      null,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2n ** 63n,
      "\ud800",
      new Date(0),
      () => 1,
      Symbol("x"),
      new Map(),
      [undefined],
    ]) {
      refuses(value);
    }
  });

  it("refuses nesting the parser would refuse, cycles among it", () => {
    const nest = (depth: number): PrintableValue => (depth === 0 ? 1 : [nest(depth - 1)]);
    decodeHcl(printHcl({ a: nest(maxNesting - 1) }));
    refuses(nest(maxNesting));
    const cycle: { [key: string]: PrintableValue } = {};
    cycle.self = cycle;
    refuses(cycle);
  });
});
