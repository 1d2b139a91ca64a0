/** Sign, Verify and GetPublicKey, checked with OpenSSL; generation of keys. */
import assert from "node:assert/strict";
import { constants, createHash, createPublicKey, type KeyObject, randomBytes, verify } from "node:crypto";
import { describe, it } from "node:test";
import {
  type CreateKeyCommandInput,
  DryRunOperationException,
  GetPublicKeyCommand,
  InvalidKeyUsageException,
  type KeySpec,
  KMSInvalidSignatureException,
  SignCommand,
  type SigningAlgorithmSpec,
  VerifyCommand,
} from "@aws-sdk/client-kms";
import { startEmulator } from "../../../src/kms-emulator/index.ts";
import { present, rejectsWith, startFixture } from "../fixture.ts";
import { createKey } from "../key-fixture.ts";

const rsaAlgorithms = ["256", "384", "512"].flatMap((bits): [SigningAlgorithmSpec, string][] => [
  [`RSASSA_PSS_SHA_${bits}` as SigningAlgorithmSpec, `sha${bits}`],
  [`RSASSA_PKCS1_V1_5_SHA_${bits}` as SigningAlgorithmSpec, `sha${bits}`],
]);

/** docs/aws-kms-behaviour.md, "Signing": which spec has which algorithms, and the hash of each. */
const specs: readonly [KeySpec, readonly [SigningAlgorithmSpec, string][]][] = [
  ["ECC_NIST_P256", [["ECDSA_SHA_256", "sha256"]]],
  ["ECC_NIST_P384", [["ECDSA_SHA_384", "sha384"]]],
  ["ECC_NIST_P521", [["ECDSA_SHA_512", "sha512"]]],
  ["ECC_SECG_P256K1", [["ECDSA_SHA_256", "sha256"]]],
  ["RSA_2048", rsaAlgorithms],
  ["RSA_3072", rsaAlgorithms],
  ["RSA_4096", rsaAlgorithms],
];

/** OpenSSL's judgement, with the PSS salt length pinned to the hash's: anything longer fails. */
function isValid(key: KeyObject, algorithm: string, hash: string, message: Uint8Array, signature: Uint8Array): boolean {
  const saltLength = createHash(hash).digest().length;
  const padding = algorithm.includes("PSS") ? constants.RSA_PKCS1_PSS_PADDING : constants.RSA_PKCS1_PADDING;
  const options = key.asymmetricKeyType === "rsa" ? { key, padding, saltLength } : key;
  return verify(hash, message, options, signature);
}

describe("Sign", () => {
  for (const [spec, algorithms] of specs) {
    it(`with ${spec}: every algorithm, RAW and DIGEST, verifies in OpenSSL and in Verify`, async (t) => {
      const { kms } = await startFixture(t);
      const { KeyId, Arn } = await createKey(kms, { KeySpec: spec });
      const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }));
      const publicKey = createPublicKey({ key: Buffer.from(present(PublicKey)), format: "der", type: "spki" });
      const message = randomBytes(100);
      for (const [SigningAlgorithm, hash] of algorithms) {
        const digest = createHash(hash).update(message).digest();
        for (const [MessageType, Message] of [
          ["RAW", message],
          ["DIGEST", digest],
          [undefined, message],
        ] as const) {
          const input = { KeyId, Message, MessageType, SigningAlgorithm };
          const signed = await kms.send(new SignCommand(input));
          const Signature = present(signed.Signature);
          assert.deepEqual([signed.KeyId, signed.SigningAlgorithm], [Arn, SigningAlgorithm]);
          assert.ok(
            isValid(publicKey, SigningAlgorithm, hash, message, Signature),
            `${SigningAlgorithm} ${MessageType}`,
          );
          const verified = await kms.send(new VerifyCommand({ ...input, Signature }));
          assert.deepEqual([verified.KeyId, verified.SignatureValid], [Arn, true]);
          const wrong = Buffer.from(Signature);
          wrong[wrong.length - 1] = (wrong[wrong.length - 1] ?? 0) ^ 1;
          await assert.rejects(
            kms.send(new VerifyCommand({ ...input, Signature: wrong })),
            KMSInvalidSignatureException,
          );
        }
      }
    });
  }

  it("makes DER that varies in length, is different every time, and is not low-S", async (t) => {
    const { emulator } = await startFixture(t);
    const { control } = emulator;
    const made = (await control.call("CreateKey", { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" })) as {
      KeyMetadata: { KeyId: string };
    };
    const input = { KeyId: made.KeyMetadata.KeyId, Message: new Uint8Array(32), MessageType: "DIGEST" };
    const signatures: string[] = [];
    for (let index = 0; index < 200; index += 1) {
      const output = await control.callByName("Sign", { ...input, SigningAlgorithm: "ECDSA_SHA_256" });
      signatures.push(Buffer.from((output as { Signature: Uint8Array }).Signature).toString("hex"));
    }
    assert.equal(new Set(signatures).size, 200);
    assert.ok(new Set(signatures.map((hex) => hex.length)).size > 1);
    const half = BigInt("0x7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8");
    const isHighS = signatures.filter((hex) => {
      const r = Number.parseInt(hex.slice(6, 8), 16);
      return BigInt(`0x${hex.slice(8 + r * 2 + 4)}`) > half;
    });
    assert.ok(isHighS.length > 50 && isHighS.length < 150, `${isHighS.length} of 200`);
  });

  it("with PKCS#1 v1.5 is deterministic", async (t) => {
    const { kms } = await startFixture(t);
    const { KeyId } = await createKey(kms, { KeySpec: "RSA_2048" });
    const input = { KeyId, Message: new Uint8Array(9), SigningAlgorithm: "RSASSA_PKCS1_V1_5_SHA_256" } as const;
    const [first, second] = [await kms.send(new SignCommand(input)), await kms.send(new SignCommand(input))];
    assert.deepEqual(first.Signature, second.Signature);
  });

  it("with Ed25519 takes messages, with Ed25519ph digests (texts unverified)", async (t) => {
    const { kms } = await startFixture(t);
    const { KeyId } = await createKey(kms, { KeySpec: "ECC_NIST_EDWARDS25519" });
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }));
    const publicKey = createPublicKey({ key: Buffer.from(present(PublicKey)), format: "der", type: "spki" });
    const Message = randomBytes(64);
    const pure = { KeyId, Message, SigningAlgorithm: "ED25519_SHA_512" } as const;
    const signed = await kms.send(new SignCommand({ ...pure, MessageType: "RAW" }));
    assert.ok(verify(null, Message, publicKey, present(signed.Signature)));
    const prehashed = { KeyId, Message, SigningAlgorithm: "ED25519_PH_SHA_512" } as const;
    const { Signature } = await kms.send(new SignCommand({ ...prehashed, MessageType: "DIGEST" }));
    await kms.send(new VerifyCommand({ ...prehashed, MessageType: "DIGEST", Signature }));
    await rejectsWith(kms.send(new SignCommand({ ...pure, MessageType: "DIGEST" })), "ValidationException");
    await rejectsWith(kms.send(new SignCommand({ ...prehashed, MessageType: "RAW" })), "ValidationException");
  });
});

interface Refusal {
  readonly title: string;
  readonly key?: Partial<CreateKeyCommandInput>;
  readonly input: object;
  readonly name: string;
  /** `ARN` stands for the key's. */
  readonly message?: string | RegExp;
}

const digest = (length: number) => ({ Message: new Uint8Array(length), MessageType: "DIGEST" });
const p256 = { SigningAlgorithm: "ECDSA_SHA_256" };

const refusals: readonly Refusal[] = [
  ...[1, 31, 33, 48, 64].map((length) => ({
    title: `a SHA-256 digest of ${length} bytes`,
    input: { ...digest(length), ...p256 },
    name: "ValidationException",
    message: "Digest is invalid length for algorithm ECDSA_SHA_256.",
  })),
  {
    title: "a SHA-512 digest of 32 bytes for RSA",
    key: { KeySpec: "RSA_2048" },
    input: { ...digest(32), SigningAlgorithm: "RSASSA_PSS_SHA_512" },
    name: "ValidationException",
    message: "Digest is invalid length for algorithm RSASSA_PSS_SHA_512.",
  },
  {
    title: "SHA-384 with P-256",
    input: { ...digest(48), SigningAlgorithm: "ECDSA_SHA_384" },
    name: "InvalidKeyUsageException",
    message: "Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256.",
  },
  {
    title: "RSA with an EC key",
    input: { ...digest(32), SigningAlgorithm: "RSASSA_PSS_SHA_256" },
    name: "InvalidKeyUsageException",
    message: "Algorithm RSASSA_PSS_SHA_256 is incompatible with key spec ECC_NIST_P256.",
  },
  {
    title: "a key for encryption",
    key: { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" },
    input: { ...digest(32), SigningAlgorithm: "RSASSA_PSS_SHA_256" },
    name: "InvalidKeyUsageException",
    message: "ARN key usage is ENCRYPT_DECRYPT which is not valid for Sign.",
  },
  {
    title: "an HMAC key",
    key: { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" },
    input: { ...digest(32), ...p256 },
    name: "InvalidKeyUsageException",
    message: "ARN key usage is GENERATE_VERIFY_MAC which is not valid for Sign.",
  },
  {
    title: "an unknown algorithm",
    input: { ...digest(32), SigningAlgorithm: "ECDSA_SHA_1" },
    name: "ValidationException",
    message:
      /^1 validation error detected: Value 'ECDSA_SHA_1' at 'signingAlgorithm' failed to satisfy constraint: Member must satisfy enum value set/,
  },
  {
    title: "a message of 4097 bytes",
    input: { Message: new Uint8Array(4097), ...p256 },
    name: "ValidationException",
    message:
      "1 validation error detected: Value at 'message' failed to satisfy constraint: Member must have length less than or equal to 4096",
  },
  { title: "an empty message [I]", input: { Message: new Uint8Array(0), ...p256 }, name: "ValidationException" },
  {
    title: "an external mu for ECDSA [I]",
    input: { Message: new Uint8Array(64), MessageType: "EXTERNAL_MU", ...p256 },
    name: "ValidationException",
  },
  { title: "a grant token", input: { ...digest(32), ...p256, GrantTokens: ["x"] }, name: "InvalidGrantTokenException" },
  {
    title: "eleven grant tokens",
    input: { ...digest(32), ...p256, GrantTokens: Array(11).fill("x") },
    name: "ValidationException",
    message: /at 'grantTokens' failed to satisfy constraint: Member must have length less than or equal to 10$/,
  },
];

describe("Sign and Verify refuse", () => {
  for (const { title, key, input, name, message } of refusals) {
    it(title, async (t) => {
      const { kms } = await startFixture(t);
      const made = await createKey(kms, key);
      const text = typeof message === "string" ? message.replace("ARN", made.Arn) : message;
      const { KeyId } = made;
      await rejectsWith(kms.send(new SignCommand({ KeyId, ...input } as never)), name, text);
      const asVerify = typeof text === "string" ? text.replace("valid for Sign", "valid for Verify") : text;
      const verifying = { KeyId, ...input, Signature: new Uint8Array(64) } as never;
      await rejectsWith(kms.send(new VerifyCommand(verifying)), name, asVerify);
    });
  }

  it("4096 bytes is still a message", async (t) => {
    const { kms } = await startFixture(t);
    const { KeyId } = await createKey(kms);
    await kms.send(new SignCommand({ KeyId, Message: randomBytes(4096), SigningAlgorithm: "ECDSA_SHA_256" }));
  });
});

describe("DryRun", () => {
  it("succeeds by failing, and otherwise fails as usual", async (t) => {
    const { kms } = await startFixture(t);
    const { KeyId } = await createKey(kms);
    const input = { KeyId, ...digest(32), ...p256, DryRun: true } as const;
    const dryRun = kms.send(new SignCommand(input as never));
    await assert.rejects(dryRun, DryRunOperationException);
    await rejectsWith(
      kms.send(new SignCommand(input as never)),
      "DryRunOperationException",
      "The request would have succeeded, but the DryRun option is set.",
    );
    const wrong = { ...input, SigningAlgorithm: "RSASSA_PSS_SHA_256" };
    await assert.rejects(kms.send(new SignCommand(wrong as never)), InvalidKeyUsageException);
  });
});

describe("GetPublicKey", () => {
  /** SubjectPublicKeyInfo up to the key: rsaEncryption with NULL, or id-ecPublicKey with the named curve. */
  const prefixes: readonly [KeySpec, string][] = [
    ["ECC_NIST_P256", "3059301306072a8648ce3d020106082a8648ce3d03010703420004"],
    ["ECC_NIST_P384", "3076301006072a8648ce3d020106052b8104002203620004"],
    ["ECC_NIST_P521", "30819b301006072a8648ce3d020106052b810400230381860004"],
    ["ECC_SECG_P256K1", "3056301006072a8648ce3d020106052b8104000a03420004"],
    ["RSA_2048", "30820122300d06092a864886f70d01010105000382010f003082010a02820101"],
    ["ECC_NIST_EDWARDS25519", "302a300506032b6570032100"],
  ];
  for (const [spec, prefix] of prefixes) {
    it(`of ${spec} is the SubjectPublicKeyInfo with all members around it`, async (t) => {
      const { kms } = await startFixture(t);
      const key = await createKey(kms, { KeySpec: spec });
      const { $metadata: _, PublicKey, ...rest } = await kms.send(new GetPublicKeyCommand({ KeyId: key.KeyId }));
      assert.equal(Buffer.from(present(PublicKey)).toString("hex").slice(0, prefix.length), prefix);
      const expected = { KeyId: key.Arn, CustomerMasterKeySpec: spec, KeySpec: spec, KeyUsage: "SIGN_VERIFY" };
      assert.deepEqual(rest, { ...expected, SigningAlgorithms: key.SigningAlgorithms });
    });
  }

  it("of an RSA key for encryption shows encryption algorithms", async (t) => {
    const { kms } = await startFixture(t);
    const { KeyId } = await createKey(kms, { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" });
    const reply = await kms.send(new GetPublicKeyCommand({ KeyId }));
    assert.deepEqual(reply.EncryptionAlgorithms, ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"]);
    assert.equal(reply.SigningAlgorithms, undefined);
  });

  for (const input of [
    { KeySpec: "SYMMETRIC_DEFAULT", KeyUsage: "ENCRYPT_DECRYPT" },
    { KeySpec: "HMAC_512", KeyUsage: "GENERATE_VERIFY_MAC" },
  ] as const) {
    it(`of ${input.KeySpec} is refused [L]`, async (t) => {
      const { kms } = await startFixture(t);
      const { KeyId } = await createKey(kms, input);
      await rejectsWith(kms.send(new GetPublicKeyCommand({ KeyId })), "UnsupportedOperationException");
    });
  }
});

describe("key generation", () => {
  it("of RSA_3072 does not hold up other calls", async (t) => {
    const { kms, emulator } = await startFixture(t, {}, startEmulator);
    const { KeyId } = await createKey(kms);
    let isMade = false;
    const making = createKey(kms, { KeySpec: "RSA_3072" }).then(() => {
      isMade = true;
    });
    let signed = 0;
    while (!isMade && signed < 5) {
      await kms.send(new SignCommand({ KeyId, Message: new Uint8Array(32), MessageType: "DIGEST", ...p256 } as never));
      signed += 1;
    }
    await making;
    const order = emulator.control.journal().map((record) => [record.operation, record.sequence]);
    assert.ok(signed > 0, JSON.stringify(order));
  });

  it("gives every key its own material unless reuseRsaKeys says otherwise", async (t) => {
    const publicKeys = async (reuseRsaKeys: number, KeySpec: KeySpec) => {
      const { kms } = await startFixture(t, { reuseRsaKeys });
      const keys = new Set<string>();
      for (let index = 0; index < 3; index += 1) {
        const { KeyId } = await createKey(kms, { KeySpec });
        const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }));
        keys.add(Buffer.from(present(PublicKey)).toString("hex"));
      }
      return keys.size;
    };
    assert.equal(await publicKeys(2, "RSA_2048"), 2);
    assert.equal(await publicKeys(0, "RSA_2048"), 3);
    assert.equal(await publicKeys(2, "ECC_NIST_P256"), 3);
  });
});
