/** Constraint checking of request members, in AWS's words. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AwsException } from "../exceptions.ts";
import {
  blob,
  boolean,
  enumeration,
  integer,
  list,
  optional,
  readInput,
  required,
  string,
  structure,
} from "./validation.ts";

const shape = structure({
  Name: required(string({ min: 2, max: 4, pattern: "^[a-z]+$" })),
  Count: optional(integer({ min: 1, max: 9 })),
  Kind: optional(enumeration(["A", "B"])),
  Data: optional(blob({ min: 1, max: 2 })),
  Flag: optional(boolean()),
  Tags: optional(list(structure({ TagKey: required(string({ min: 1 })) }), { max: 2 })),
});

const failure = (input: unknown): [string, string] => {
  try {
    readInput(shape, input);
  } catch (error) {
    assert.ok(error instanceof AwsException);
    return [error.code, error.message];
  }
  return ["", "it was accepted"];
};

/** The texts of AWS: docs/aws-kms-behaviour.md, "Validation messages". */
const violations: readonly [object, string[]][] = [
  [{}, ["Value null at 'name' failed to satisfy constraint: Member must not be null"]],
  [
    { Name: "a" },
    ["Value 'a' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 2"],
  ],
  [
    { Name: "ABCDE" },
    [
      "Value 'ABCDE' at 'name' failed to satisfy constraint: Member must have length less than or equal to 4",
      "Value 'ABCDE' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z]+$",
    ],
  ],
  [
    { Name: "ab", Count: 0 },
    ["Value '0' at 'count' failed to satisfy constraint: Member must have value greater than or equal to 1"],
  ],
  [
    { Name: "ab", Count: 10 },
    ["Value '10' at 'count' failed to satisfy constraint: Member must have value less than or equal to 9"],
  ],
  [
    { Name: "ab", Kind: "C" },
    ["Value 'C' at 'kind' failed to satisfy constraint: Member must satisfy enum value set: [A, B]"],
  ],
  [
    { Name: "ab", Data: "" },
    ["Value at 'data' failed to satisfy constraint: Member must have length greater than or equal to 1"],
  ],
  [
    { Name: "ab", Data: "AAAA" },
    ["Value at 'data' failed to satisfy constraint: Member must have length less than or equal to 2"],
  ],
  [
    { Name: "ab", Tags: [{ TagKey: "x" }, { TagKey: "" }] },
    [
      "Value '' at 'tags.2.member.tagKey' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
  ],
  [
    { Name: "ab", Tags: [{}] },
    ["Value null at 'tags.1.member.tagKey' failed to satisfy constraint: Member must not be null"],
  ],
  [
    { Name: "ab", Tags: [null] },
    ["Value null at 'tags.1.member' failed to satisfy constraint: Member must not be null"],
  ],
  [
    { Count: 0, Kind: "C" },
    [
      "Value null at 'name' failed to satisfy constraint: Member must not be null",
      "Value '0' at 'count' failed to satisfy constraint: Member must have value greater than or equal to 1",
      "Value 'C' at 'kind' failed to satisfy constraint: Member must satisfy enum value set: [A, B]",
    ],
  ],
];

describe("validation", () => {
  for (const [input, problems] of violations) {
    it(`of ${JSON.stringify(input)} reports ${problems.length} at once`, () => {
      const noun = problems.length === 1 ? "error" : "errors";
      const message = `${problems.length} validation ${noun} detected: ${problems.join("; ")}`;
      assert.deepEqual(failure(input), ["ValidationException", message]);
    });
  }

  for (const input of [
    7,
    null,
    [],
    "x",
    { Name: 7 },
    { Name: "ab", Flag: "true" },
    { Name: "ab", Tags: {} },
    { Name: "ab", Data: "*" },
  ]) {
    it(`of ${JSON.stringify(input)}, which has a wrong type, is a SerializationException`, () => {
      assert.equal(failure(input)[0], "SerializationException");
    });
  }

  it("returns typed members, bytes for base64, and leaves unknown ones out", () => {
    const input = readInput(shape, { Name: "ab", Data: "AQI=", Count: "5", Unknown: 1, Kind: null });
    assert.deepEqual({ ...input, Data: [...(input.Data ?? [])] }, { Name: "ab", Data: [1, 2], Count: 5 });
    const given = new Uint8Array([9]);
    assert.equal(readInput(shape, { Name: "ab", Data: given }).Data, given);
  });
});
