import assert from "node:assert/strict";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { before, describe, it } from "node:test";
import { KeyType, type PublicKey } from "../../src/plugin-sdk/index.ts";
import { issueLeaf, issueSelfSigned, type SignatureName } from "./harness/certificates.ts";
import { OpensslChain, withoutOpenssl } from "./harness/openssl.ts";
import { publicKeyOf } from "./harness/signing.ts";
import { useStage } from "./harness/stage.ts";
import type { TestPlugin } from "./harness/test-plugin.ts";

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
  { keyId: "p256", keyType: KeyType.EC_P256, names: ec },
  { keyId: "p384", keyType: KeyType.EC_P384, names: ec },
  { keyId: "rsa-2048", keyType: KeyType.RSA_2048, names: rsa },
  { keyId: "rsa-4096", keyType: KeyType.RSA_4096, names: rsa },
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

interface Issued {
  readonly keyId: string;
  readonly name: SignatureName;
  readonly ca: X509Certificate;
  readonly leaf: X509Certificate;
}

describe("X.509 certificates signed by the plugin", () => {
  const stage = useStage();
  const issued: Issued[] = [];
  const made = new Map<string, PublicKey>();

  async function issueAll(plugin: TestPlugin): Promise<void> {
    for (const { keyId, keyType, names } of keys) {
      const key = await plugin.generate(keyId, keyType);
      made.set(keyId, key);
      for (const name of names) {
        const [ca, leaf] = await Promise.all([
          issueSelfSigned(plugin, key, name),
          issueLeaf(plugin, key, name, leafPkixData),
        ]);
        issued.push({ keyId, name, ca, leaf });
      }
    }
  }

  before(async () => {
    const plugin = await stage.start();
    await plugin.configure();
    await issueAll(plugin);
  });

  const find = (keyId: string, name: SignatureName): Issued => {
    const found = issued.find((one) => one.keyId === keyId && one.name === name);
    assert.ok(found);
    return found;
  };

  for (const { keyId, names } of keys) {
    for (const name of names) {
      it(`${keyId}, ${name}: verified by node:crypto`, () => {
        const { ca, leaf } = find(keyId, name);
        const key = made.get(keyId);
        assert.ok(key);
        assert.ok(ca.verify(publicKeyOf(key)));
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
        const chain = await OpensslChain.write(stage.folder, file, ca.toString(), leaf.toString());
        chain.assertVerifies();
        assert.match(chain.text(), opensslNames[name]);
      });
    }
  }
});
