/** Projects of KeyManager plugins: keys in memory, to be put where they are safe. */
import type { Template } from "./template.ts";
import { importLine, pluginText, testText } from "./text.ts";

const before = `
${importLine("{ createHash, generateKeyPairSync, type KeyObject, privateEncrypt }", "node:crypto")}

interface Key extends ManagedKey {
  readonly privateKey: KeyObject;
}

/** Keys that die with the process. Put them where they are safe. */
function generate(id: string, type: KeyType): Key {
  if (type !== KeyType.RSA_2048) throw new StatusError("INVALID_ARGUMENT", "only RSA_2048 keys are made so far");
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pkixData = publicKey.export({ type: "spki", format: "der" });
  return { id, type, pkixData, fingerprint: createHash("sha256").update(pkixData).digest("hex"), privateKey };
}

/** DER of "this is a SHA-256 digest", which PKCS #1 v1.5 wants before the digest. */
const sha256Prefix = Buffer.from("3031300d060960864801650304020105000420", "hex");
`;

const service = (face: string): string => `
${face}({
  generateKey({ keyId, keyType }, { log }) {
    const key = generate(keyId, keyType);
    keys.set(keyId, key);
    log.info("key generated", { key_id: keyId, fingerprint: key.fingerprint });
    return key;
  },
  getPublicKey: (keyId) => keys.get(keyId),
  getPublicKeys: () => [...keys.values()],
  signData({ keyId, data, hashAlgorithm, pssSaltLength }) {
    const key = keys.get(keyId);
    if (key === undefined) throw new StatusError("NOT_FOUND", \`key "\${keyId}" not found\`);
    if (hashAlgorithm !== HashAlgorithm.SHA256 || pssSaltLength !== undefined) {
      throw new StatusError("INVALID_ARGUMENT", "only PKCS #1 v1.5 with SHA-256 is signed so far");
    }
    // The data is a digest already: "sign" must not hash it once more.
    const signature = privateEncrypt(key.privateKey, Buffer.concat([sha256Prefix, data]));
    return { signature, keyFingerprint: key.fingerprint };
  },
})`;

function keyManagerTemplate(face: string, descriptor: string, program: Template["program"]): Template {
  const pluginData = "";
  return {
    type: "KeyManager",
    program,
    description: `Keeps the private keys of ${program} in memory.`,
    pluginData: "# this plugin needs no settings yet\n",
    plugin: pluginText({
      imports: [face, "HashAlgorithm", "KeyType", "type ManagedKey", "StatusError"],
      settings: ["// greeting: v.string(),"],
      service: service(face),
      before,
    }).replace("  const config =", "  const keys = new Map<string, Key>();\n  const config ="),
    test: testText({
      imports: ["HashAlgorithm", "KeyType", descriptor],
      pluginData,
      does: "signs with the keys that it makes",
      calls: `
const client = plugin.client(${descriptor});
const { publicKey } = await client.generateKey({ keyId: "a", keyType: KeyType.RSA_2048 as number });
assert.ok(publicKey);
const digest = createHash("sha256").update("text").digest();
const value = HashAlgorithm.SHA256 as number;
const { signature } = await client.signData({ keyId: "a", data: digest, signerOpts: { case: "hashAlgorithm", value } });
const key = createPublicKey({ key: Buffer.from(publicKey.pkixData), type: "spki", format: "der" });
assert.ok(verify("sha256", Buffer.from("text"), key, signature));
assert.equal((await client.getPublicKeys({})).publicKeys.length, 1);
await assert.rejects(client.getPublicKey({ keyId: "b" }), /key "b" not found/);`,
    }).replace(
      "import { after, it }",
      'import { createHash, createPublicKey, verify } from "node:crypto";\nimport { after, it }',
    ),
  };
}

export const keyManagers: Readonly<Record<string, Template>> = {
  "key-manager": keyManagerTemplate("keyManager", "KeyManager", "SPIRE Server"),
  "agent-key-manager": keyManagerTemplate("agentKeyManager", "AgentKeyManager", "SPIRE Agent"),
};
