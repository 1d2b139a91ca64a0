import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { before, describe, it } from "node:test";
import { issueLeaf, issueSelfSigned, type SignatureName } from "../../harness/certificates.ts";
import { OpensslChain, withoutOpenssl } from "../../harness/openssl.ts";
import type { Signer } from "../../harness/signer.ts";
import { publicKeyOf } from "../../harness/signing.ts";

const ec: readonly SignatureName[] = ["ec sha256", "ec sha384", "ec sha512"];
const rsa: readonly SignatureName[] = [
  "rsa sha256",
  "rsa sha384",
  "rsa sha512",
  "rsa-pss sha256",
  "rsa-pss sha384",
  "rsa-pss sha512",
];

const keys = [
  { keyId: "p256", names: ec },
  { keyId: "p384", names: ec },
  { keyId: "rsa-2048", names: rsa },
  { keyId: "rsa-4096", names: rsa },
] as const;

/** What `openssl x509 -text` calls each. */
const opensslNames: Readonly<Record<SignatureName, RegExp>> = {
  "ec sha256": /Signature Algorithm: ecdsa-with-SHA256/,
  "ec sha384": /Signature Algorithm: ecdsa-with-SHA384/,
  "ec sha512": /Signature Algorithm: ecdsa-with-SHA512/,
  "rsa sha256": /Signature Algorithm: sha256WithRSAEncryption/,
  "rsa sha384": /Signature Algorithm: sha384WithRSAEncryption/,
  "rsa sha512": /Signature Algorithm: sha512WithRSAEncryption/,
  "rsa-pss sha256": /rsassaPss\s+Hash Algorithm: sha256\s+Mask Algorithm: mgf1 with sha256\s+Salt Length: 0x20/,
  "rsa-pss sha384": /rsassaPss\s+Hash Algorithm: sha384\s+Mask Algorithm: mgf1 with sha384\s+Salt Length: 0x30/,
  "rsa-pss sha512": /rsassaPss\s+Hash Algorithm: sha512\s+Mask Algorithm: mgf1 with sha512\s+Salt Length: 0x40/,
};

const leafKey = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey;
const leafPkixData = leafKey.export({ type: "spki", format: "der" });

export function describeCertificates(signer: Signer): void {
  describe("X.509 certificates", () => register(signer));
}

interface Issued {
  readonly ca: X509Certificate;
  readonly leaf: X509Certificate;
}

function register(signer: Signer): void {
  const issued = new Map<string, Issued>();

  before(async () => {
    const { plugin } = signer;
    for (const { keyId, names } of keys) {
      const key = signer.key(keyId);
      for (const name of names) {
        const [ca, leaf] = await Promise.all([
          issueSelfSigned(plugin, key, name),
          issueLeaf(plugin, key, name, leafPkixData),
        ]);
        issued.set(`${keyId} ${name}`, { ca, leaf });
      }
    }
  });

  const find = (keyId: string, name: SignatureName): Issued => {
    const found = issued.get(`${keyId} ${name}`);
    assert.ok(found);
    return found;
  };

  for (const { keyId, names } of keys) {
    for (const name of names) {
      it(`${keyId}, ${name}: verified by node:crypto`, () => {
        const { ca, leaf } = find(keyId, name);
        assert.ok(ca.verify(publicKeyOf(signer.key(keyId))));
        assert.ok(leaf.verify(ca.publicKey));
        assert.ok(leaf.checkIssued(ca));
        assert.equal(leaf.verify(leafKey), false);
        const tampered = Buffer.from(leaf.raw);
        tampered[tampered.length - 1] = (tampered[tampered.length - 1] ?? 0) ^ 1;
        assert.equal(new X509Certificate(tampered).verify(ca.publicKey), false);
      });
      it(`${keyId}, ${name}: verified by openssl`, { skip: withoutOpenssl }, async () => {
        const { ca, leaf } = find(keyId, name);
        const file = `${keyId}-${name.replace(" ", "-")}`;
        const chain = await OpensslChain.write(signer.stage.folder, file, ca.toString(), leaf.toString());
        chain.assertVerifies();
        assert.match(chain.text(), opensslNames[name]);
      });
    }
  }
}
