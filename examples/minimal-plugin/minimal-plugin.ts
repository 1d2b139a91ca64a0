// A SPIRE KeyManager that keeps its keys in memory. They die with the process: an example, not for use.
import { createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
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
  readonly privateKey: KeyObject;
  readonly publicKey: {
    readonly id: string;
    readonly type: KeyType;
    readonly pkixData: Buffer;
    readonly fingerprint: string;
  };
}

const keys = new Map<string, Key>();
let isConfigured = false;

const curves = new Map([
  [KeyType.EC_P256, "P-256"],
  [KeyType.EC_P384, "P-384"],
]);

function find(id: string): Key {
  if (!isConfigured) throw new StatusError("FAILED_PRECONDITION", "not configured");
  const key = keys.get(id);
  if (key === undefined) throw new StatusError("NOT_FOUND", `key "${id}" not found`);
  return key;
}

const handlers: ServiceHandlers<typeof KeyManager> = {
  generateKey({ keyId: id, keyType: type }, { log }) {
    const namedCurve = curves.get(type);
    if (namedCurve === undefined) throw new StatusError("INVALID_ARGUMENT", "this example makes EC keys alone");
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve });
    const pkixData = publicKey.export({ type: "spki", format: "der" });
    const fingerprint = createHash("sha256").update(pkixData).digest("hex");
    keys.set(id, { privateKey, publicKey: { id, type, pkixData, fingerprint } });
    log.info("key generated", { id, fingerprint });
    return { publicKey: find(id).publicKey };
  },
  getPublicKey: ({ keyId }) => ({ publicKey: find(keyId).publicKey }),
  getPublicKeys: () => ({ publicKeys: [...keys.values()].map((key) => key.publicKey) }),
  signData({ keyId, data }) {
    const { privateKey, publicKey } = find(keyId);
    // An example may hash once more what SPIRE has hashed already; its signatures verify over the digest.
    return { signature: sign("sha256", data, privateKey), keyFingerprint: publicKey.fingerprint };
  },
};

await servePlugin({
  type: "KeyManager",
  name: "minimal",
  version: "1.0.0",
  description: "Keeps keys in memory, to show how a plugin is written.",
  services: [service(KeyManager, handlers)],
  config: {
    validate: (hcl) => ({ valid: hcl.trim() === "", notes: hcl.trim() === "" ? [] : ["this plugin has no settings"] }),
    configure(hcl) {
      if (hcl.trim() !== "") throw new StatusError("INVALID_ARGUMENT", "this plugin has no settings");
      isConfigured = true;
    },
  },
});
