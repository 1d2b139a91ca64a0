/** Every member of every answer is one of the service model, of its type and within its bounds. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { manualClock } from "../../../src/kms-emulator/index.ts";
import { createTestEngine } from "../../fixtures/test-emulator.ts";
import { callOf } from "../call.ts";
import { answerProblems } from "./conformance.ts";
import { operationNames } from "./probes.ts";
import { everyOperation, neverAnswered } from "./scenario.ts";

describe("the answers", () => {
  it("of all operations that can succeed are as the model has them", async () => {
    const { control } = createTestEngine({ clock: manualClock() });
    // Each answer is held against the model by the caller.
    await everyOperation(callOf(control), control);
    const answered = new Set(
      control.journal().flatMap(({ operation, outcome }) => (outcome === "ok" ? [operation] : [])),
    );
    const expected = operationNames.filter((name) => !neverAnswered.includes(name));
    assert.deepEqual([...answered].sort(), expected.sort());
  });

  it("are found out if they are wrong", () => {
    const arn = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    assert.deepEqual(answerProblems("Sign", { KeyId: arn, Signature: "text", Extra: 1, SigningAlgorithm: "NONE" }), [
      "Sign.Signature is no blob",
      "Sign.Extra is not in the model",
      "Sign.SigningAlgorithm is none of RSASSA_PSS_SHA_256, RSASSA_PSS_SHA_384, RSASSA_PSS_SHA_512, RSASSA_PKCS1_V1_5_SHA_256, RSASSA_PKCS1_V1_5_SHA_384, RSASSA_PKCS1_V1_5_SHA_512, ECDSA_SHA_256, ECDSA_SHA_384, ECDSA_SHA_512, SM2DSA, ML_DSA_SHAKE_256, ED25519_SHA_512, ED25519_PH_SHA_512",
    ]);
    assert.deepEqual(answerProblems("DescribeKey", { KeyMetadata: { Arn: undefined } }), [
      "DescribeKey.KeyMetadata.Arn is no string",
      "DescribeKey.KeyMetadata.KeyId is missing",
    ]);
    assert.deepEqual(answerProblems("EnableKey", {}), ["EnableKey answers something"]);
  });
});
