/** `node --jitless` has no WebAssembly: signatures are checked the slower way for as long as the process lives. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";

const module = (path: string) => JSON.stringify(new URL(`../../src/key-manager/signing/${path}`, import.meta.url).href);

const program = `
import { createHash, generateKeyPairSync, sign } from "node:crypto";
const { signatureVerifier } = await import(${module("signature-verifier.ts")});
const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "secp384r1" });
const verify = signatureVerifier(publicKey);
const verdicts = [];
for (let i = 0; i < 5; i++) {
  const digest = createHash("sha384").update("message " + i).digest();
  const signature = sign("sha384", Buffer.from("message " + i), privateKey);
  verdicts.push(verify("ECDSA_SHA_384", digest, signature), verify("ECDSA_SHA_384", digest.reverse(), signature));
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
}
console.log(JSON.stringify({ webAssembly: typeof WebAssembly, verdicts }));
`;

describe("without WebAssembly", () => {
  it("verification goes on under node --jitless", () => {
    const options = ["--jitless", "--import", "tsx", "--input-type=module", "--eval", program];
    const output = JSON.parse(execFileSync(process.execPath, options, { encoding: "utf8" }));
    assert.deepEqual(output, { webAssembly: "undefined", verdicts: Array.from({ length: 10 }, (_, i) => i % 2 === 0) });
  });
});
