/** What is asked of both emulators: the operations that they share, each with what must be there beforehand. */
import { createHash } from "node:crypto";
import { call, type Target } from "./client.ts";

/** One row of the table. */
export interface Row {
  readonly name: string;
  /** Calls of one round. */
  readonly count: number;
  /** Makes what the row needs, and says which calls are then repeated in turn. */
  prepare(target: Target): Promise<readonly (readonly [operation: string, input: object])[]>;
}

const P256 = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
const digest = createHash("sha256").update("the one message").digest("base64");
const plaintext = Buffer.alloc(32, 7).toString("base64");

async function createKey(target: Target, input: object = {}): Promise<string> {
  const { KeyMetadata } = await call(target, "CreateKey", input);
  return (KeyMetadata as { KeyId: string }).KeyId;
}

/** A row of one call over one key. */
function onKey(
  name: string,
  count: number,
  key: object,
  input: (KeyId: string, target: Target) => object | Promise<object>,
  operation = name,
): Row {
  return {
    name,
    count,
    async prepare(target) {
      return [[operation, await input(await createKey(target, key), target)]];
    },
  };
}

const aliasTurns = new Map<string, number>();

/** An alias name that the target has not had. */
function freshAlias(target: Target): string {
  const turn = (aliasTurns.get(String(target.port)) ?? 0) + 1;
  aliasTurns.set(String(target.port), turn);
  return `alias/bench-${turn}`;
}

/** Two calls of which the second undoes the first, so that a round leaves nothing behind. */
function pair(name: string, count: number, calls: (KeyId: string, alias: string) => readonly [string, object][]): Row {
  return {
    name,
    count,
    async prepare(target) {
      return calls(await createKey(target), freshAlias(target));
    },
  };
}

const sign = (algorithm: string) => (KeyId: string) => ({
  KeyId,
  Message: digest,
  MessageType: "DIGEST",
  SigningAlgorithm: algorithm,
});

const verify = (algorithm: string) => async (KeyId: string, target: Target) => {
  const input = sign(algorithm)(KeyId);
  const { Signature } = await call(target, "Sign", input);
  return { ...input, Signature };
};

const rsa = { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" };
const hmac = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" };
const mac = { Message: plaintext, MacAlgorithm: "HMAC_SHA_256" };
const context = { EncryptionContext: { purpose: "bench" } };

const encrypted = async (KeyId: string, target: Target): Promise<object> => {
  const { CiphertextBlob } = await call(target, "Encrypt", { KeyId, Plaintext: plaintext, ...context });
  return { CiphertextBlob, ...context };
};

export const rows: readonly Row[] = [
  onKey("DescribeKey", 4000, P256, (KeyId) => ({ KeyId })),
  onKey("GetPublicKey", 4000, P256, (KeyId) => ({ KeyId })),
  {
    name: "ListAliases (50)",
    count: 1000,
    async prepare(target) {
      const TargetKeyId = await createKey(target);
      for (let made = 0; made < 50; made += 1) {
        await call(target, "CreateAlias", { AliasName: freshAlias(target), TargetKeyId });
      }
      return [["ListAliases", { Limit: 50 }]];
    },
  },
  {
    name: "ListKeys (100)",
    count: 1000,
    async prepare(target) {
      for (let made = 0; made < 100; made += 1) await createKey(target);
      return [["ListKeys", { Limit: 100 }]];
    },
  },
  onKey("ListResourceTags", 4000, { Tags: [{ TagKey: "a", TagValue: "b" }] }, (KeyId) => ({ KeyId })),
  onKey("GetKeyPolicy", 4000, {}, (KeyId) => ({ KeyId, PolicyName: "default" })),
  onKey("Sign P-256", 3000, P256, sign("ECDSA_SHA_256"), "Sign"),
  onKey("Sign RSA 2048", 600, rsa, sign("RSASSA_PKCS1_V1_5_SHA_256"), "Sign"),
  onKey("Verify P-256", 1000, P256, verify("ECDSA_SHA_256"), "Verify"),
  onKey("Verify RSA 2048", 3000, rsa, verify("RSASSA_PKCS1_V1_5_SHA_256"), "Verify"),
  { name: "CreateKey P-256", count: 1000, prepare: async () => [["CreateKey", P256]] },
  { name: "CreateKey symmetric", count: 1000, prepare: async () => [["CreateKey", {}]] },
  pair("CreateAlias, DeleteAlias", 1000, (TargetKeyId, AliasName) => [
    ["CreateAlias", { AliasName, TargetKeyId }],
    ["DeleteAlias", { AliasName }],
  ]),
  pair("TagResource, UntagResource", 2000, (KeyId) => [
    ["TagResource", { KeyId, Tags: [{ TagKey: "a", TagValue: "b" }] }],
    ["UntagResource", { KeyId, TagKeys: ["a"] }],
  ]),
  pair("DisableKey, EnableKey", 2000, (KeyId) => [
    ["DisableKey", { KeyId }],
    ["EnableKey", { KeyId }],
  ]),
  onKey("UpdateKeyDescription", 2000, {}, (KeyId) => ({ KeyId, Description: "of a benchmark" })),
  onKey("Encrypt", 4000, {}, (KeyId) => ({ KeyId, Plaintext: plaintext, ...context })),
  onKey("Decrypt", 4000, {}, encrypted),
  onKey("GenerateDataKey", 4000, {}, (KeyId) => ({ KeyId, KeySpec: "AES_256", ...context })),
  onKey("GenerateMac", 4000, hmac, (KeyId) => ({ KeyId, ...mac })),
  onKey("VerifyMac", 4000, hmac, async (KeyId, target) => {
    const { Mac } = await call(target, "GenerateMac", { KeyId, ...mac });
    return { KeyId, ...mac, Mac };
  }),
  { name: "GenerateRandom", count: 4000, prepare: async () => [["GenerateRandom", { NumberOfBytes: 32 }]] },
];
