/** Makes the secret of a key, keeps it as text and brings it back. */
import { generateKeyPair, generateKeyPairSync, randomBytes } from "node:crypto";
import { EmulatorError } from "../errors.ts";
import type { Random } from "../random.ts";
import { ecdh } from "./ecdsa.ts";
import { type EcCurve, factsOf, type KeySpec } from "./key-spec.ts";
import { createMlDsa } from "./post-quantum/ml-dsa.ts";
import { createMlKem } from "./post-quantum/ml-kem.ts";
import type { Secrets } from "./secrets.ts";

/** The secret of one or more keys: the members of a multi-Region set share theirs. */
export interface KeyMaterial {
  readonly id: string;
  readonly spec: KeySpec;
  /**
   * EC: the scalar, as wide as the curve's order. RSA and Ed25519: PKCS#8 DER. ML-DSA and ML-KEM: the seed. Symmetric and
   * HMAC: the raw key.
   */
  readonly secret: Uint8Array;
  /** SubjectPublicKeyInfo DER; empty for symmetric and HMAC keys. */
  readonly publicKey: Uint8Array;
}

/** Material at rest, in memory and in files: base64 text takes a fraction of what two small Buffers do. */
export interface StoredMaterial {
  readonly id: string;
  readonly spec: KeySpec;
  readonly secret: string;
  readonly publicKey: string;
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");

export const storeMaterial = ({ id, spec, secret, publicKey }: KeyMaterial): StoredMaterial => ({
  id,
  spec,
  secret: base64(secret),
  publicKey: base64(publicKey),
});

export const restoreMaterial = ({ id, spec, secret, publicKey }: StoredMaterial): KeyMaterial => ({
  id,
  spec,
  secret: Buffer.from(secret, "base64"),
  publicKey: Buffer.from(publicKey, "base64"),
});

/** Makes new material; asynchronous because RSA generation runs off the event loop. */
export interface KeyMaterialSource {
  create(spec: KeySpec): KeyMaterial | Promise<KeyMaterial>;
}

/** DER up to the public point: id-ecPublicKey, the named curve's OID, and the BIT STRING header. */
const spkiPrefix: Record<EcCurve, Buffer> = {
  prime256v1: Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex"),
  secp384r1: Buffer.from("3076301006072a8648ce3d020106052b81040022036200", "hex"),
  secp521r1: Buffer.from("30819b301006072a8648ce3d020106052b8104002303818600", "hex"),
  secp256k1: Buffer.from("3056301006072a8648ce3d020106052b8104000a034200", "hex"),
};

const scalarBytes: Record<EcCurve, number> = { prime256v1: 32, secp384r1: 48, secp521r1: 66, secp256k1: 32 };

/** The length of an HMAC key that KMS makes; imported ones may be of any length up to the hash's block. */
const hmacBytes: Partial<Record<KeySpec, number>> = { HMAC_224: 28, HMAC_256: 32, HMAC_384: 48, HMAC_512: 64 };

const spki = { type: "spki", format: "der" } as const;
const pkcs8 = { type: "pkcs8", format: "der" } as const;

/** Makes an RSA key of so many bits, encoded as {@link KeyMaterial} is. */
export type RsaGenerator = (modulusLength: number) => Promise<Secrets>;

export type { Secrets } from "./secrets.ts";

/**
 * The two halves of an EC key, from its scalar or as new. An ECDH object generates the same key pair as
 * generateKeyPairSync, ten times faster than through DER encodings.
 */
export function ecSecrets(curve: EcCurve, given?: Uint8Array): Secrets {
  const pair = ecdh(curve);
  if (given) pair.setPrivateKey(given);
  else pair.generateKeys();
  const scalar = pair.getPrivateKey();
  const secret = Buffer.alloc(scalarBytes[curve]);
  scalar.copy(secret, secret.length - scalar.length);
  return { secret, publicKey: Buffer.concat([spkiPrefix[curve], pair.getPublicKey()]) };
}

const generateRsa: RsaGenerator = (modulusLength) =>
  new Promise((resolve, reject) => {
    generateKeyPair(
      "rsa",
      { modulusLength, publicExponent: 0x10001, publicKeyEncoding: spki, privateKeyEncoding: pkcs8 },
      (error, publicKey, secret) => {
        if (error) reject(error);
        else resolve({ secret, publicKey });
      },
    );
  });

function createEd25519(): Secrets {
  const pair = generateKeyPairSync("ed25519", { publicKeyEncoding: spki, privateKeyEncoding: pkcs8 });
  return { secret: pair.privateKey, publicKey: pair.publicKey };
}

function createSecrets(spec: KeySpec, createRsa: RsaGenerator): Secrets | Promise<Secrets> {
  const facts = factsOf(spec);
  switch (facts.family) {
    case "rsa":
      return createRsa(facts.modulusLength);
    case "ec":
      return ecSecrets(facts.curve);
    case "ed25519":
      return createEd25519();
    case "ml-dsa":
      return createMlDsa(facts.parameterSet, randomBytes(32));
    case "ml-kem":
      return createMlKem(facts.parameterSet, randomBytes(64));
    case "symmetric":
    case "hmac":
      return { secret: randomBytes(hmacBytes[spec] ?? 32), publicKey: Buffer.alloc(0) };
    case "unsupported":
      throw new EmulatorError("INVALID_OPTION", `no cryptography for key spec ${spec}`);
  }
}

interface KeyMaterialOptions {
  /**
   * At most this many distinct RSA keys are generated per size; later ones take turns with the same material under new
   * key ids. Default 0: every key its own.
   */
  readonly reuseRsaKeys?: number | undefined;
  /** Default: OpenSSL's. */
  readonly generateRsa?: RsaGenerator | undefined;
}

/** New material of a spec whose material is made at once. */
export function createSymmetricMaterial(random: Random): KeyMaterial {
  return { id: random.hex(32), spec: "SYMMETRIC_DEFAULT", secret: randomBytes(32), publicKey: Buffer.alloc(0) };
}

export function createKeyMaterialSource(random: Random, options: KeyMaterialOptions = {}): KeyMaterialSource {
  const { reuseRsaKeys = 0, generateRsa: createRsa = generateRsa } = options;
  const pools = new Map<KeySpec, Promise<KeyMaterial>[]>();
  const turns = new Map<KeySpec, number>();
  const fresh = (spec: KeySpec): KeyMaterial | Promise<KeyMaterial> => {
    const id = random.hex(32);
    const secrets = createSecrets(spec, createRsa);
    return secrets instanceof Promise ? secrets.then((made) => ({ id, spec, ...made })) : { id, spec, ...secrets };
  };
  return {
    create(spec) {
      if (reuseRsaKeys <= 0 || factsOf(spec).family !== "rsa") return fresh(spec);
      const pool = pools.get(spec) ?? [];
      pools.set(spec, pool);
      const turn = turns.get(spec) ?? 0;
      turns.set(spec, turn + 1);
      const slot = turn % reuseRsaKeys;
      const pooled = pool[slot] ?? Promise.resolve(fresh(spec));
      pool[slot] = pooled;
      return pooled;
    },
  };
}
