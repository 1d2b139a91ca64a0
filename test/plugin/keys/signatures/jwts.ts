import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { p256, p384 } from "@noble/curves/nist.js";
import { errors, exportJWK, importJWK, jwtVerify } from "jose";
import type { Signer, SignerKeyId } from "../../harness/signer.ts";
import { type HashName, type Padding, publicKeyOf, signMessage } from "../../harness/signing.ts";
import type { TestPlugin } from "../../harness/test-plugin.ts";

interface JwtCase {
  readonly alg: string;
  readonly keyId: SignerKeyId;
  readonly hash: HashName;
  readonly padding?: Padding;
}

const rsaCases = (keyId: SignerKeyId): readonly JwtCase[] =>
  (["sha256", "sha384", "sha512"] as const).flatMap((hash): readonly JwtCase[] => [
    { alg: `RS${hash.slice(3)}`, keyId, hash },
    { alg: `PS${hash.slice(3)}`, keyId, hash, padding: "pss" },
  ]);

const cases: readonly JwtCase[] = [
  { alg: "ES256", keyId: "p256", hash: "sha256" },
  { alg: "ES384", keyId: "p384", hash: "sha384" },
  ...rsaCases("rsa-2048"),
  ...rsaCases("rsa-4096"),
];

/** JWS wants r and s side by side (RFC 7518, 3.4), KMS answers in DER. */
function joseSignature(keyId: string, signature: Uint8Array): Uint8Array {
  const curve = keyId === "p256" ? p256 : keyId === "p384" ? p384 : undefined;
  return curve === undefined ? signature : curve.Signature.fromBytes(signature, "der").toBytes("compact");
}

const base64url = (value: string | Uint8Array) => Buffer.from(value).toString("base64url");

async function issueJwt(plugin: TestPlugin, { alg, keyId, hash, padding }: JwtCase): Promise<string> {
  const header = { alg, kid: keyId, typ: "JWT" };
  const claims = {
    sub: "spiffe://example.org/workload",
    aud: ["audience"],
    exp: Math.floor(Date.now() / 1000) + 300,
  };
  const signed = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  const { signature } = await signMessage(plugin, keyId, Buffer.from(signed), hash, padding);
  return `${signed}.${base64url(joseSignature(keyId, signature))}`;
}

/** Through a JWK, as a bundle carries it. */
async function verificationKey(signer: Signer, { keyId, alg }: JwtCase) {
  return importJWK(await exportJWK(publicKeyOf(signer.key(keyId))), alg);
}

export function describeJwts(signer: Signer): void {
  describe("JWT-SVIDs, verified by jose", () => register(signer));
}

function register(signer: Signer): void {
  for (const jwtCase of cases) {
    const { alg, keyId } = jwtCase;
    it(`${alg} with ${keyId}`, async () => {
      const jwt = await issueJwt(signer.plugin, jwtCase);
      const key = await verificationKey(signer, jwtCase);
      const { payload } = await jwtVerify(jwt, key, { audience: "audience", algorithms: [alg] });
      assert.equal(payload.sub, "spiffe://example.org/workload");
      const [header = "", claims = "", signature = ""] = jwt.split(".");
      const forged = `${header}.${base64url(Buffer.from(claims, "base64url").toString().replace("workload", "admin"))}.${signature}`;
      await assert.rejects(jwtVerify(forged, key), errors.JWSSignatureVerificationFailed);
    });
  }
}
