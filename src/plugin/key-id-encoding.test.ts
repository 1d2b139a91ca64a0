/** Any SPIRE key id through an alias and back. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { decodeBuiltInKeyId, decodeKeyId, encodeKeyId } from "./key-id-encoding.ts";

describe("key id encoding", () => {
  const cases: ReadonlyArray<readonly [keyId: string, segment: string]> = [
    ["x509-CA-A", "x509-CA-A"],
    ["JWT-Signer-B", "JWT-Signer-B"],
    ["WIT-Signer-A", "WIT-Signer-A"],
    ["acme_account+key", "acme_account_2bkey"],
    ["spire.example.org+rsa", "spire_2eexample_2eorg_2brsa"],
    ["a_2eb", "a_5f2eb"],
    ["a_2bb", "a_5f2bb"],
    ["a_5fb", "a_5f5fb"],
    ["a_2Eb", "a_2Eb"],
    ["a/b", "a_2fb"],
    ["a:b", "a_3ab"],
    ["a b", "a_20b"],
    ["é", "_c3_a9"],
    ["_c3_a9", "_5fc3_a9"],
    ["😀", "_f0_9f_98_80"],
    ["_ac_", "_ac_"],
    ["__2e", "__5f2e"],
    ["_2d", "_2d"],
  ];
  for (const [keyId, segment] of cases) {
    it(`writes ${JSON.stringify(keyId)} as ${segment} and reads it back`, () => {
      assert.equal(encodeKeyId(keyId), segment);
      assert.equal(decodeKeyId(segment), keyId);
    });
  }

  const tricky = fc.string({
    unit: fc.constantFrom(
      "_",
      "2",
      "e",
      "b",
      "5",
      "f",
      "c",
      "3",
      "a",
      "9",
      ".",
      "+",
      "/",
      ":",
      " ",
      "é",
      "😀",
      "A",
      "-",
    ),
    maxLength: 24,
  });

  it("is reversible for every id and needs only characters that KMS accepts in a segment", () => {
    fc.assert(
      fc.property(fc.oneof(tricky, fc.string({ unit: "binary" })), (keyId) => {
        const segment = encodeKeyId(keyId);
        assert.match(segment, /^[A-Za-z0-9_-]*$/);
        assert.equal(decodeKeyId(segment), keyId);
      }),
      { numRuns: 3000 },
    );
  });

  it("gives different ids different segments", () => {
    fc.assert(
      fc.property(tricky, tricky, (a, b) => {
        assert.equal(encodeKeyId(a) === encodeKeyId(b), a === b);
      }),
      { numRuns: 3000 },
    );
  });

  it("reads the built-in plugin's segments as the built-in does", () => {
    assert.equal(decodeBuiltInKeyId("acme_5f_2bkey"), "acme_5f+key");
  });
});
