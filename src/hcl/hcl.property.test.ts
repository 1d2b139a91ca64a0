/** For any text at all: no error but HclError, and what is printed is read back. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: HCL's interpolation looks like JavaScript's
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import {
  attributes,
  decodeHcl,
  HclError,
  type HclObject,
  type PlainValue,
  type PrintableObject,
  type PrintableValue,
  parseHcl,
  printHcl,
  toPlainObject,
} from "./index.ts";

const runs = { seed: 20261122, numRuns: 2000 };

const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom("\ud800", "\udc00", "\0", "\ue123", "a", "{", '"') }),
);

/** Pieces close enough to HCL to get past the first token. */
const scraps = fc
  .array(
    fc.constantFrom(
      ...'a,b = {,},[,],=,:, ,\n,\r\n,",",\\,\\u,${,},<<E\n,<<-E\n, E\n,E\n,1,0x,1e,-,.5,true,null,/*,*/,#,//,é,\0,\ufeff'.split(
        ",",
      ),
      ",",
    ),
    { maxLength: 30 },
  )
  .map((pieces) => pieces.join(""));

const hclSample =
  'region = "us-east-2" # c\nkey_tags "l" { a = [1, 0x1f, 1.5,] }\np = <<-EOF\n  { "x": "${y}" }\n  EOF\n';
const jsonSample = '{"region": "us-east-2", "key_tags": {"a": {"b": [1, 2.5, null]}}, "c": "\\u00e9"}';

const mutated = fc
  .tuple(
    fc.constantFrom(hclSample, jsonSample),
    fc.nat(),
    fc.nat({ max: 5 }),
    fc.string({ unit: "binary", maxLength: 3 }),
  )
  .map(([sample, at, length, insert]) => {
    const start = at % (sample.length + 1);
    return sample.slice(0, start) + insert + sample.slice(start + length);
  });

/** Walks all a reader can ask for; only HclErrors may come out. */
function readEverything(source: string): void {
  let tree: HclObject;
  try {
    tree = parseHcl(source);
  } catch (error) {
    assert.ok(error instanceof HclError, String(error));
    assert.ok(error.line >= 1 && error.column >= 1 && error.message !== "");
    return;
  }
  attributes(tree);
  try {
    toPlainObject(tree);
  } catch (error) {
    assert.ok(error instanceof HclError, String(error));
  }
}

/** What `hcl.Decode` makes of printed data: an object that is no list element becomes a list of one. */
function asDecoded(value: PrintableValue, isElement: boolean): PlainValue {
  if (Array.isArray(value)) return value.map((element: PrintableValue) => asDecoded(element, true));
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (typeof value !== "object") return value as PlainValue;
  const object: { [key: string]: PlainValue } = Object.create(null);
  for (const [key, member] of Object.entries(value)) if (member !== undefined) object[key] = asDecoded(member, false);
  return isElement ? object : [object];
}

const { data } = fc.letrec<{ value: PrintableValue; data: PrintableObject }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string({ unit: "grapheme" }),
    fc.constantFrom("${a}", "$${", "\ue123", "\0"),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.boolean(),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("data"),
  ),
  data: fc.dictionary(fc.string({ unit: "grapheme" }), tie("value"), { maxKeys: 5 }),
}));

describe("HCL, for any input", () => {
  it("throws nothing but HclError, with a place", () => {
    fc.assert(fc.property(fc.oneof(text, scraps, mutated), readEverything), runs);
  });

  it("throws nothing but HclError on the JSON form either", () => {
    fc.assert(
      fc.property(fc.oneof(text, scraps), (rest) => readEverything(`{${rest}`)),
      runs,
    );
  });

  it("reads back what it printed", () => {
    fc.assert(
      fc.property(data, (value) => {
        assert.deepEqual([decodeHcl(printHcl(value))], asDecoded(value, false));
      }),
      { ...runs, numRuns: 500 },
    );
  });

  it("does not care whether lines end in \\n or \\r\\n", () => {
    fc.assert(
      fc.property(data, (value) => {
        const printed = printHcl(value);
        assert.deepEqual(decodeHcl(printed.replaceAll("\n", "\r\n")), decodeHcl(printed));
      }),
      { ...runs, numRuns: 200 },
    );
  });
});
