/**
 * AWS KMS in a test with Node's own runner: `node --test`. No account, no Docker.
 *
 *   npm install --save-dev spire-aws-kms
 *
 * Any AWS client will do; this one calls with fetch, so that the example needs no other package.
 */
import assert from "node:assert/strict";
import { after, afterEach, before, it } from "node:test";
import { startEmulator } from "spire-aws-kms/kms-emulator";

let emulator;

before(async () => {
  const seeds = { keys: [{ keySpec: "ECC_NIST_P256", aliases: ["alias/app"] }] };
  emulator = await startEmulator({ seeds });
});
afterEach(() => emulator.control.reset());
after(() => emulator.close());

/** What is under test: signs, and tries once more when KMS is busy. */
async function signed(message, attempts = 2) {
  const response = await fetch(emulator.endpoint, {
    method: "POST",
    headers: { "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "TrentService.Sign" },
    body: JSON.stringify({
      KeyId: "alias/app",
      Message: Buffer.from(message).toString("base64"),
      SigningAlgorithm: "ECDSA_SHA_256",
    }),
  });
  const answer = await response.json();
  if (response.ok) return answer.Signature;
  if (answer.__type === "ThrottlingException" && attempts > 1) return signed(message, attempts - 1);
  throw new Error(answer.__type);
}

it("signs with the key behind the alias", async () => {
  const Signature = Buffer.from(await signed("hello"), "base64");
  const verified = await emulator.control.call("Verify", {
    KeyId: "alias/app",
    Message: Buffer.from("hello"),
    SigningAlgorithm: "ECDSA_SHA_256",
    Signature,
  });
  assert.equal(verified.SignatureValid, true);
});

it("tries again when it is throttled, and only then", async () => {
  emulator.control.addFault({ kind: "error", name: "ThrottlingException", operation: "Sign", times: 1 });
  await signed("hello");
  assert.deepEqual(
    emulator.control.journal().map(({ operation, outcome }) => `${operation} ${outcome}`),
    ["Sign error", "Sign ok"],
  );
  emulator.control.addFault({ kind: "error", name: "DisabledException", operation: "Sign" });
  await assert.rejects(signed("hello"), /DisabledException/);
});
