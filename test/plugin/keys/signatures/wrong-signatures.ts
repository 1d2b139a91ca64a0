import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { type Signer, signerKeyIds } from "../../harness/signer.ts";
import { publicKeyOf, signMessage, verifies } from "../../harness/signing.ts";
import { expectStatus } from "../../harness/status.ts";

const message = Buffer.from("message");

/** A signature with one bit wrong, as a broken machine on the way would make it, is worse than none. */
export function describeWrongSignatures(signer: Signer): void {
  describe("a signature that does not verify", () => register(signer));
}

function register(signer: Signer): void {
  after(() => signer.plugin.configure());

  for (const keyId of signerKeyIds) {
    for (const padding of ["pkcs1", "pss"] as const) {
      if (padding === "pss" && keyId.startsWith("p")) continue;
      it(`is not passed on: ${keyId}, ${padding}`, async () => {
        const fault = signer.stage.kms.fault({ kind: "corrupt-signature", operation: "Sign", times: 1 });
        const words = [/does not verify/, /arn:aws:kms:/, /verify_signatures/];
        const call = signMessage(signer.plugin, keyId, message, "sha256", padding);
        await expectStatus(call, "INTERNAL", ...words);
        assert.equal(fault.hits, 1);
        const { signature } = await signMessage(signer.plugin, keyId, message, "sha256", padding);
        assert.ok(verifies(publicKeyOf(signer.key(keyId)), message, "sha256", signature, padding));
      });
    }
  }

  it("is passed on with verify_signatures = false", async () => {
    await signer.plugin.configure({ verify_signatures: false });
    signer.stage.kms.fault({ kind: "corrupt-signature", operation: "Sign", times: 1 });
    const { signature } = await signMessage(signer.plugin, "p256", message, "sha256");
    assert.equal(verifies(publicKeyOf(signer.key("p256")), message, "sha256", signature), false);
  });
}
