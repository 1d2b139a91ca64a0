/**
 * Every vector of Wycheproof's ECDSA P-256 and P-384, RSA PKCS#1 and RSA PSS files.
 *
 * The files lie beside the repository, not in it. `acceptable` (a DigestInfo without NULL) is refused: KMS makes the one
 * form of RFC 8017, and what SPIRE puts into a certificate must please every reader.
 */
import assert from "node:assert/strict";
import { createHash, createPublicKey } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { SigningAlgorithmSpec } from "../../src/key-manager/ports.ts";
import { integerOf, p256, p384 } from "../../src/key-manager/signing/ecdsa/curve.ts";
import { readEcdsaSignature } from "../../src/key-manager/signing/ecdsa/ecdsa-signature.ts";
import { rsaVerifier } from "../../src/key-manager/signing/rsa-verifier.ts";
import { type SignatureVerifier, signatureVerifier } from "../../src/key-manager/signing/signature-verifier.ts";
import { pointOf, tableCheckOf } from "./table-fixture.ts";

const folder = fileURLToPath(new URL("../../../shared/wycheproof", import.meta.url));

interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly msg: string;
  readonly sig: string;
  readonly result: "valid" | "invalid" | "acceptable";
}

interface Group {
  readonly publicKeyDer?: string;
  readonly publicKeyAsn?: string;
  readonly sha: "SHA-256" | "SHA-384" | "SHA-512";
  readonly sLen?: number;
  readonly tests: readonly Vector[];
}

const read = (file: string): { numberOfTests: number; testGroups: readonly Group[] } =>
  JSON.parse(readFileSync(join(folder, file), "utf8"));

function algorithmOf(file: string, { sha }: Group): SigningAlgorithmSpec {
  const bits = sha.slice(4) as "256" | "384" | "512";
  if (file.startsWith("rsa_pss")) return `RSASSA_PSS_SHA_${bits}`;
  if (file.startsWith("rsa_signature")) return `RSASSA_PKCS1_V1_5_SHA_${bits}`;
  return file.includes("secp256r1") ? "ECDSA_SHA_256" : "ECDSA_SHA_384";
}

function publicKeyOf({ publicKeyDer, publicKeyAsn = "" }: Group): Buffer {
  if (publicKeyDer !== undefined) return Buffer.from(publicKeyDer, "hex");
  const key = createPublicKey({ key: Buffer.from(publicKeyAsn, "hex"), format: "der", type: "pkcs1" });
  return key.export({ type: "spki", format: "der" });
}

function wrongVerdicts(file: string, verifierOf: (group: Group) => SignatureVerifier): string[] {
  const { numberOfTests, testGroups } = read(file);
  let seen = 0;
  const wrong = testGroups.flatMap((group) => {
    const verify = verifierOf(group);
    return group.tests.flatMap(({ tcId, comment, msg, sig, result }) => {
      seen++;
      const digest = createHash(group.sha.replace("-", "").toLowerCase()).update(Buffer.from(msg, "hex")).digest();
      const verdict = verify(algorithmOf(file, group), digest, Buffer.from(sig, "hex"));
      return verdict === (result === "valid") ? [] : [`${tcId} (${comment}): ${result}, but the verdict is ${verdict}`];
    });
  });
  assert.equal(seen, numberOfTests);
  return wrong;
}

const saltOfDigest = { "SHA-256": 32, "SHA-384": 48, "SHA-512": 64 } as const;
const isSaltAnother = ({ sha, sLen }: Group) => sLen !== undefined && sLen !== saltOfDigest[sha];

describe("Wycheproof", { skip: existsSync(folder) ? false : `there is no folder ${folder}` }, () => {
  for (const file of existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : []) {
    it(`${file}: the valid is accepted, the rest is refused`, () => {
      // Only a file of PSS with a salt of another length than the digest's needs to be asked with that length.
      const verifierOf = (group: Group) => {
        const key = publicKeyOf(group);
        if (!isSaltAnother(group)) return signatureVerifier(key);
        return rsaVerifier(createPublicKey({ key, format: "der", type: "spki" }), group.sLen);
      };
      const verdicts =
        (verifier: SignatureVerifier): SignatureVerifier =>
        (algorithm, digest, signature) => {
          try {
            return verifier(algorithm, digest, signature);
          } catch {
            return false;
          }
        };
      assert.deepEqual(
        wrongVerdicts(file, (group) => verdicts(verifierOf(group))),
        [],
      );
    });

    if (file.startsWith("ecdsa"))
      it(`${file}: the tables alone come to the same, or leave the verdict to the slower way`, () => {
        const curve = file.includes("secp256r1") ? p256 : p384;
        let undecided = 0;
        const verifierOf = (group: Group): SignatureVerifier => {
          const key = createPublicKey({ key: publicKeyOf(group), format: "der", type: "spki" });
          const slow = signatureVerifier(key);
          const check = tableCheckOf(curve, pointOf(key));
          return (algorithm, digest, signature) => {
            const { r, s } = readEcdsaSignature(signature) ?? { r: 0n, s: 0n };
            if (r <= 0n || r >= curve.n || s <= 0n || s >= curve.n) return false;
            const verdict = check([integerOf(digest.subarray(0, curve.bytes)) % curve.n, r, s]);
            if (verdict === undefined) undecided++;
            return verdict ?? slow(algorithm, digest, signature);
          };
        };
        assert.deepEqual(wrongVerdicts(file, verifierOf), []);
        assert.ok(undecided < 10, `${undecided} left to the slower way`);
      });

    const others = read(file).testGroups.filter(isSaltAnother);
    if (others.length > 0)
      it(`${file}: the plugin refuses all of it, as KMS's salts are as long as the digest`, () => {
        // Some of these very signatures stand as invalid in the file for the digest's length.
        for (const group of others) {
          const verify = signatureVerifier(publicKeyOf(group));
          for (const { msg, sig } of group.tests) {
            const digest = createHash(group.sha.replace("-", "").toLowerCase())
              .update(Buffer.from(msg, "hex"))
              .digest();
            assert.equal(verify(algorithmOf(file, group), digest, Buffer.from(sig, "hex")), false);
          }
        }
      });
  }
});
