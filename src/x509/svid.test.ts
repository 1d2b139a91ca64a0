/** Certificates of every algorithm, verified by node:crypto. */
import assert from "node:assert/strict";
import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import { rsaKeyPair } from "../../test/fixtures/rsa-keys/index.ts";
import { type DigestName, ecdsaAlgorithm, rsaAlgorithm } from "./certificate.ts";
import { type Authority, issueSvid } from "./svid.ts";

const spki = (key: KeyObject) => new Uint8Array(key.export({ type: "spki", format: "der" }));
const day = 86_400_000;

function authority(pair: { publicKey: KeyObject; privateKey: KeyObject }, digest: DigestName): Authority {
  return {
    commonName: "authority",
    pkixData: spki(pair.publicKey),
    signatureAlgorithm: pair.publicKey.asymmetricKeyType === "ec" ? ecdsaAlgorithm(digest) : rsaAlgorithm(digest),
    sign: async (tbs) => new Uint8Array(sign(digest, tbs, pair.privateKey)),
  };
}

describe("an SVID", () => {
  for (const [name, pair] of [
    ["EC", generateKeyPairSync("ec", { namedCurve: "P-384" })],
    ["RSA", rsaKeyPair(2048)],
  ] as const) {
    for (const digest of ["sha256", "sha384", "sha512"] as const) {
      it(`is issued by an ${name} authority over ${digest} and verifies, chain and extensions`, async () => {
        const issuer = authority(pair, digest);
        const dates = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) };
        const ca = new X509Certificate(
          await issueSvid({ ...issuer, isCa: true, ...dates, spiffeId: "spiffe://example.org" }, issuer),
        );
        const leafKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
        const leaf = new X509Certificate(
          await issueSvid({ commonName: "leaf", pkixData: spki(leafKey), isCa: false, ...dates }, issuer),
        );
        assert.equal(ca.ca, true);
        assert.equal(leaf.ca, false);
        assert.equal(ca.verify(pair.publicKey), true);
        assert.equal(leaf.verify(ca.publicKey), true);
        assert.equal(leaf.checkIssued(ca), true);
        assert.equal(ca.subjectAltName, "URI:spiffe://example.org");
        assert.equal(leaf.verify(leafKey), false);
      });
    }
  }
});
