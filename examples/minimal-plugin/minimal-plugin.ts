// A SPIRE KeyManager that keeps its keys in memory. They die with the process: an example, not for use.
import { createHash, generateKeyPairSync } from "node:crypto";
import { p256, p384 } from "@noble/curves/nist.js";
// In a project of your own: import { … } from "spire-aws-kms/plugin-sdk";
import {
  KeyManager,
  KeyType,
  type ServiceHandlers,
  StatusError,
  servePlugin,
  service,
} from "../../src/plugin-sdk/index.ts";

interface Key {
  readonly publicKey: {
    readonly id: string;
    readonly type: KeyType;
    readonly pkixData: Buffer;
    readonly fingerprint: string;
  };
  sign(digest: Uint8Array): Uint8Array;
}

const curves = new Map([
  [KeyType.EC_P256, { name: "P-256", curve: p256 }],
  [KeyType.EC_P384, { name: "P-384", curve: p384 }],
]);

function generate(id: string, type: KeyType): Key {
  const known = curves.get(type);
  if (known === undefined) throw new StatusError("INVALID_ARGUMENT", "this example makes EC keys alone");
  const pair = generateKeyPairSync("ec", { namedCurve: known.name });
  const pkixData = pair.publicKey.export({ type: "spki", format: "der" });
  const fingerprint = createHash("sha256").update(pkixData).digest("hex");
  const secret = Buffer.from(pair.privateKey.export({ format: "jwk" }).d ?? "", "base64url");
  // SPIRE sends a digest, which node:crypto would hash once more.
  const sign = (digest: Uint8Array) => known.curve.sign(digest, secret, { prehash: false, lowS: false, format: "der" });
  return { publicKey: { id, type, pkixData, fingerprint }, sign };
}

const keys = new Map<string, Key>();
let isConfigured = false;

function find(id: string): Key {
  if (!isConfigured) throw new StatusError("FAILED_PRECONDITION", "not configured");
  const key = keys.get(id);
  if (key === undefined) throw new StatusError("NOT_FOUND", `key "${id}" not found`);
  return key;
}

const handlers: ServiceHandlers<typeof KeyManager> = {
  generateKey({ keyId, keyType }, { log }) {
    const key = generate(keyId, keyType);
    keys.set(keyId, key);
    log.info("key generated", { key_id: keyId, fingerprint: key.publicKey.fingerprint });
    return { publicKey: find(keyId).publicKey };
  },
  getPublicKey: ({ keyId }) => ({ publicKey: find(keyId).publicKey }),
  getPublicKeys: () => ({ publicKeys: [...keys.values()].map((key) => key.publicKey) }),
  signData({ keyId, data }) {
    const key = find(keyId);
    return { signature: key.sign(data), keyFingerprint: key.publicKey.fingerprint };
  },
};

await servePlugin({
  type: "KeyManager",
  name: "minimal",
  version: "1.0.0",
  description: "Keeps keys in memory, to show how a plugin is written.",
  services: [service(KeyManager, handlers)],
  onInit: ({ metrics }) => metrics.incrCounter(["minimal", "loaded"], 1),
  config: {
    validate: (hcl) => ({ valid: hcl.trim() === "", notes: hcl.trim() === "" ? [] : ["this plugin has no settings"] }),
    configure(hcl) {
      if (hcl.trim() !== "") throw new StatusError("INVALID_ARGUMENT", "this plugin has no settings");
      isConfigured = true;
    },
  },
});
