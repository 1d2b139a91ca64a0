import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { HashAlgorithm, KeyType, type PublicKey } from "../../../src/plugin-sdk/index.ts";
import { issueSelfSigned, type SignatureName, signatures } from "./certificates.ts";
import { publicKeyOf, signMessage, verifies } from "./signing.ts";
import { useStage } from "./stage.ts";
import { expectStatus } from "./status.ts";
import type { TestPlugin } from "./test-plugin.ts";

export interface ConformanceTarget {
  /** Absolute path of a KeyManager plugin's executable. */
  readonly pluginCommand: string;
  /** Its `plugin_data`. */
  readonly pluginData: string;
}

/** One thing that every KeyManager must do, on a plugin that is configured and has no keys but those of earlier checks. */
export interface ConformanceCheck {
  readonly name: string;
  run(plugin: TestPlugin): Promise<void>;
}

const keys = [
  { id: "ec256", type: KeyType.EC_P256, kind: "ec", curve: "prime256v1", bits: undefined },
  { id: "ec384", type: KeyType.EC_P384, kind: "ec", curve: "secp384r1", bits: undefined },
  { id: "rsa2048", type: KeyType.RSA_2048, kind: "rsa", curve: undefined, bits: 2048 },
  { id: "rsa4096", type: KeyType.RSA_4096, kind: "rsa", curve: undefined, bits: 4096 },
] as const;

type KeyCase = (typeof keys)[number];

const digest = createHash("sha256").update("DATA").digest();
const sha256 = { case: "hashAlgorithm", value: HashAlgorithm.SHA256 } as const;

function assertKey(key: PublicKey | undefined, { id, type, kind, curve, bits }: KeyCase): PublicKey {
  assert.ok(key, "the answer has a public key");
  assert.equal(key.id, id);
  assert.equal(key.type, type);
  const { asymmetricKeyType, asymmetricKeyDetails } = publicKeyOf(key);
  assert.equal(asymmetricKeyType, kind);
  assert.equal(asymmetricKeyDetails?.namedCurve, curve);
  assert.equal(asymmetricKeyDetails?.modulusLength, bits);
  assert.notEqual(key.fingerprint, "");
  return key;
}

async function assertSignsCertificates(plugin: TestPlugin, key: PublicKey, kind: "ec" | "rsa"): Promise<void> {
  const names = Object.keys(signatures).filter((name) => name.startsWith(kind)) as SignatureName[];
  for (const name of names) {
    const certificate = await issueSelfSigned(plugin, key, name);
    assert.ok(certificate.verify(publicKeyOf(key)), name);
  }
}

const generates = keys.map(
  (key): ConformanceCheck => ({
    name: `GenerateKey makes ${key.id}, which signs certificates of every kind`,
    async run(plugin) {
      const made = assertKey(await plugin.generate(key.id, key.type), key);
      await assertSignsCertificates(plugin, made, key.kind);
    },
  }),
);

const fetches = keys.map(
  (key): ConformanceCheck => ({
    name: `GetPublicKey finds ${key.id}`,
    async run(plugin) {
      const { publicKey } = await plugin.keyManager.getPublicKey({ keyId: key.id });
      const found = assertKey(publicKey, key);
      const { keyFingerprint } = await signMessage(plugin, key.id, Buffer.from("message"), "sha256");
      assert.equal(keyFingerprint, found.fingerprint);
    },
  }),
);

interface Refusal {
  readonly name: string;
  readonly call: (plugin: TestPlugin) => Promise<unknown>;
  readonly code: "INVALID_ARGUMENT" | "NOT_FOUND";
  readonly message: string;
}

const refusals: readonly Refusal[] = [
  {
    name: "GenerateKey without a key id",
    call: ({ keyManager }) => keyManager.generateKey({ keyType: KeyType.EC_P256 }),
    code: "INVALID_ARGUMENT",
    message: "key id is required",
  },
  {
    name: "GenerateKey without a key type",
    call: ({ keyManager }) => keyManager.generateKey({ keyId: "id" }),
    code: "INVALID_ARGUMENT",
    message: "key type is required",
  },
  {
    name: "GetPublicKey without a key id",
    call: ({ keyManager }) => keyManager.getPublicKey({}),
    code: "INVALID_ARGUMENT",
    message: "key id is required",
  },
  {
    name: "GetPublicKey of an unknown key",
    call: ({ keyManager }) => keyManager.getPublicKey({ keyId: "nope" }),
    code: "NOT_FOUND",
    message: `key "nope" not found`,
  },
  {
    name: "SignData without a key id",
    call: ({ keyManager }) => keyManager.signData({ data: digest, signerOpts: sha256 }),
    code: "INVALID_ARGUMENT",
    message: "key id is required",
  },
  {
    name: "SignData without signer options",
    call: ({ keyManager }) => keyManager.signData({ keyId: "ec256", data: digest }),
    code: "INVALID_ARGUMENT",
    message: "signer opts is required",
  },
  {
    name: "SignData without a hash algorithm",
    call: ({ keyManager }) =>
      keyManager.signData({ keyId: "ec256", data: digest, signerOpts: { case: "hashAlgorithm", value: 0 } }),
    code: "INVALID_ARGUMENT",
    message: "hash algorithm is required",
  },
  {
    name: "SignData with PSS options that name no hash algorithm",
    call: ({ keyManager }) =>
      keyManager.signData({
        keyId: "rsa2048",
        data: digest,
        signerOpts: { case: "pssOptions", value: { saltLength: 32 } },
      }),
    code: "INVALID_ARGUMENT",
    message: "hash algorithm is required",
  },
  {
    name: "SignData with an unknown key",
    call: ({ keyManager }) => keyManager.signData({ keyId: "nope", data: digest, signerOpts: sha256 }),
    code: "NOT_FOUND",
    message: `key "nope" not found`,
  },
];

const others: readonly ConformanceCheck[] = [
  {
    name: "GetPublicKeys lists exactly these keys",
    async run(plugin) {
      const { publicKeys } = await plugin.keyManager.getPublicKeys({});
      assert.equal(publicKeys.length, keys.length);
      for (const key of keys)
        assertKey(
          publicKeys.find(({ id }) => id === key.id),
          key,
        );
    },
  },
  {
    name: "GenerateKey on an existing id puts a key of another type in its place",
    async run(plugin) {
      const before = await plugin.generate("id", KeyType.EC_P256);
      const after = await plugin.generate("id", KeyType.RSA_2048);
      assert.notEqual(after.fingerprint, before.fingerprint);
      const message = Buffer.from("message");
      const { signature, keyFingerprint } = await signMessage(plugin, "id", message, "sha256");
      assert.equal(keyFingerprint, after.fingerprint, "SPIRE refuses a signature of another key than it asked");
      assert.ok(verifies(publicKeyOf(after), message, "sha256", signature));
    },
  },
];

/** What SPIRE's own suite asks of a key manager, in order. */
export const conformanceChecks: readonly ConformanceCheck[] = [
  {
    name: "GetPublicKeys is empty at first",
    async run(plugin) {
      assert.deepEqual((await plugin.keyManager.getPublicKeys({})).publicKeys, []);
    },
  },
  ...generates,
  ...fetches,
  ...refusals.map(
    (refusal): ConformanceCheck => ({
      name: `${refusal.name}: ${refusal.code} "${refusal.message}"`,
      run: async (plugin) => {
        await expectStatus(refusal.call(plugin), refusal.code, refusal.message);
      },
    }),
  ),
  ...others,
];

/** Registers the checks for one executable, on an embedded KMS of its own. */
export function describeConformance({ pluginCommand, pluginData }: ConformanceTarget): void {
  describe("conformance of a KeyManager", () => {
    const stage = useStage({ pluginCommand });
    let plugin: TestPlugin;
    it("is refused before Configure: FAILED_PRECONDITION", async () => {
      plugin = await stage.start();
      const { keyManager } = plugin;
      const calls = [
        keyManager.generateKey({ keyId: "id", keyType: KeyType.EC_P256 }),
        keyManager.getPublicKey({ keyId: "id" }),
        keyManager.getPublicKeys({}),
        keyManager.signData({ keyId: "id", data: digest, signerOpts: sha256 }),
      ];
      for (const call of calls) await expectStatus(call, "FAILED_PRECONDITION", "not configured");
      await plugin.configureText(pluginData);
    });
    for (const check of conformanceChecks) it(check.name, () => check.run(plugin));
  });
}
