/** A KeyManager for SPIRE Agent with keys in memory. */
import { createHash, generateKeyPairSync } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { agentKeyManager, KeyType, type ManagedKey } from "../../../../src/plugin-sdk/index.ts";
import { refuse, serveFixture } from "./fixture.ts";

interface Key extends ManagedKey {
  readonly secret: Buffer;
}

const keys = new Map<string, Key>();

await serveFixture(
  "KeyManager",
  agentKeyManager({
    generateKey({ keyId, keyType }) {
      if (keyType !== KeyType.EC_P256) refuse("INVALID_ARGUMENT", "key type");
      const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
      const pkixData = pair.publicKey.export({ type: "spki", format: "der" });
      const fingerprint = createHash("sha256").update(pkixData).digest("hex");
      const secret = Buffer.from(pair.privateKey.export({ format: "jwk" }).d ?? "", "base64url");
      const key = { id: keyId, type: keyType, pkixData, fingerprint, secret };
      keys.set(keyId, key);
      return key;
    },
    getPublicKey: (keyId) => keys.get(keyId),
    getPublicKeys: () => [...keys.values()],
    signData({ keyId, data }) {
      const { secret, fingerprint } = keys.get(keyId) ?? refuse("NOT_FOUND", "key");
      const signature = p256.sign(data, secret, { prehash: false, lowS: false, format: "der" });
      return { signature, keyFingerprint: fingerprint };
    },
  }),
);
