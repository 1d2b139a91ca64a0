/** Whole answers of KMS are taken as they are; others are refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isKmsError } from "../key-manager/ports.ts";
import {
  aliasesFrom,
  deletionDateFrom,
  keyMetadataFrom,
  keysFrom,
  publicKeyFrom,
  signatureFrom,
} from "./kms-answers.ts";

const arn = "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const other = "arn:aws:kms:us-east-2:111122223333:key/ffffffff-12ab-34cd-56ef-1234567890ab";
const bytes = Uint8Array.of(1, 2, 3);
const metadata = {
  KeyId: "1234abcd-12ab-34cd-56ef-1234567890ab",
  Arn: arn,
  KeySpec: "ECC_NIST_P256",
  KeyUsage: "SIGN_VERIFY",
  KeyState: "Enabled",
  CreationDate: new Date("2026-01-01T00:00:00Z"),
};

const malformed = (words: RegExp) => (error: unknown) =>
  isKmsError(error, "UNAVAILABLE") &&
  error.awsName === "MalformedResponse" &&
  error.outcomeUnknown &&
  words.test(error.message);

describe("KMS's answers", () => {
  it("are taken as they are when they are whole, CustomerMasterKeySpec and bare ids included", () => {
    const { KeySpec, ...old } = metadata;
    const key = keyMetadataFrom("DescribeKey", { KeyMetadata: { ...old, CustomerMasterKeySpec: KeySpec } }, arn);
    assert.equal(key.keySpec, "ECC_NIST_P256");
    assert.equal(key.description, "");
    assert.deepEqual(publicKeyFrom({ KeyId: metadata.KeyId, PublicKey: bytes }, arn).pkixData, bytes);
    assert.deepEqual(signatureFrom({ KeyId: arn, Signature: bytes }, metadata.KeyId), bytes);
    assert.deepEqual(aliasesFrom({ Aliases: [{ AliasName: "alias/aws/s3" }], Truncated: false }).items.length, 1);
    assert.equal(keysFrom({ Keys: [], Truncated: true, NextMarker: "m" }).next, "m");
  });

  for (const [title, read, words] of [
    ["nothing at all", () => keyMetadataFrom("DescribeKey", undefined), /body/],
    ["a list", () => signatureFrom([], arn), /body/],
    ["no metadata", () => keyMetadataFrom("CreateKey", {}), /KeyMetadata/],
    [
      "metadata without an ARN",
      () => keyMetadataFrom("CreateKey", { KeyMetadata: { KeyId: "x" } }),
      /KeyMetadata.Arn is/,
    ],
    [
      "an ARN that is a number",
      () => keyMetadataFrom("CreateKey", { KeyMetadata: { ...metadata, Arn: 5 } }),
      /Arn is not of its type/,
    ],
    [
      "a date that is none",
      () => keyMetadataFrom("CreateKey", { KeyMetadata: { ...metadata, CreationDate: new Date(Number.NaN) } }),
      /CreationDate/,
    ],
    ["no public key", () => publicKeyFrom({ KeyId: arn }, arn), /PublicKey is missing/],
    ["a public key that is text", () => publicKeyFrom({ KeyId: arn, PublicKey: "AAAA" }, arn), /PublicKey is not/],
    ["an empty signature", () => signatureFrom({ Signature: new Uint8Array() }, arn), /Signature/],
    ["no list of aliases", () => aliasesFrom({}), /Aliases is missing/],
    ["an alias that is no object", () => aliasesFrom({ Aliases: ["alias/x"] }), /Aliases\[0\]/],
    ["an alias whose name is a list", () => aliasesFrom({ Aliases: [{ AliasName: [] }] }), /AliasName is not/],
    [
      "a date before KMS was there",
      () => keyMetadataFrom("CreateKey", { KeyMetadata: { ...metadata, CreationDate: new Date(0) } }),
      /CreationDate/,
    ],
    ["a text without end", () => keysFrom({ Keys: [], NextMarker: "x".repeat(10_001) }), /NextMarker/],
    ["a deletion of no key", () => deletionDateFrom({}, arn), /KeyId is missing/],
    ["the deletion of another key", () => deletionDateFrom({ KeyId: other }, arn), /not about/],
    ["a list that is truncated, or not, or what", () => keysFrom({ Keys: [], Truncated: "true" }), /Truncated/],
    ["half a list", () => keysFrom({ Keys: [], Truncated: true }), /truncated/],
    ["another key's metadata", () => keyMetadataFrom("DescribeKey", { KeyMetadata: metadata }, other), /not about/],
    ["another key's public key", () => publicKeyFrom({ KeyId: other, PublicKey: bytes }, arn), /not about/],
    ["another key's signature", () => signatureFrom({ KeyId: other, Signature: bytes }, arn), /not about/],
  ] as const) {
    it(`${title}: refused as an answer, and the call may have happened`, () => assert.throws(read, malformed(words)));
  }

  it("about an alias may be about any key", () => {
    const asked = "alias/SPIRE_SERVER/example_org/server/x509-CA-A";
    assert.equal(keyMetadataFrom("DescribeKey", { KeyMetadata: metadata }, asked).arn, arn);
    const aliasArn = `arn:aws:kms:us-east-2:111122223333:${asked}`;
    assert.equal(publicKeyFrom({ KeyId: arn, PublicKey: bytes }, aliasArn).keyArn, arn);
  });
});
