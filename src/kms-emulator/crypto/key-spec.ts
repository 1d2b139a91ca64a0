/** Key specs, their uses and their algorithms (docs/aws-kms-behaviour.md, "Creating keys", "Signing"). */

export type KeyUsage =
  | "SIGN_VERIFY"
  | "ENCRYPT_DECRYPT"
  | "GENERATE_VERIFY_MAC"
  | "KEY_AGREEMENT"
  | "ENCAPSULATE_DECAPSULATE";

export type EcCurve = "prime256v1" | "secp384r1" | "secp521r1" | "secp256k1";

interface RsaFamily {
  readonly family: "rsa";
  readonly modulusLength: number;
}
interface EcFamily {
  readonly family: "ec";
  readonly curve: EcCurve;
}
interface MlDsaFamily {
  readonly family: "ml-dsa";
  readonly parameterSet: MlDsaSet;
}
interface MlKemFamily {
  readonly family: "ml-kem";
  readonly parameterSet: MlKemSet;
}
interface OtherFamily {
  readonly family: "ed25519" | "symmetric" | "hmac" | "unsupported";
}

export type MlDsaSet = "44" | "65" | "87";
export type MlKemSet = "512" | "768" | "1024";
export type EncryptionAlgorithm = "SYMMETRIC_DEFAULT" | "RSAES_OAEP_SHA_1" | "RSAES_OAEP_SHA_256" | "SM2PKE";
export type MacAlgorithm = "HMAC_SHA_224" | "HMAC_SHA_256" | "HMAC_SHA_384" | "HMAC_SHA_512";

export type KeySpecFacts = (RsaFamily | EcFamily | MlDsaFamily | MlKemFamily | OtherFamily) & {
  readonly usages: readonly KeyUsage[];
  readonly signing: readonly SigningAlgorithm[];
  readonly encryption: readonly EncryptionAlgorithm[];
  readonly mac: readonly MacAlgorithm[];
};

export type SigningAlgorithm = keyof typeof signingAlgorithms;

/** `digestBytes` is the length of a Message sent as DIGEST. */
export const signingAlgorithms = {
  RSASSA_PSS_SHA_256: { scheme: "pss", hash: "sha256", digestBytes: 32 },
  RSASSA_PSS_SHA_384: { scheme: "pss", hash: "sha384", digestBytes: 48 },
  RSASSA_PSS_SHA_512: { scheme: "pss", hash: "sha512", digestBytes: 64 },
  RSASSA_PKCS1_V1_5_SHA_256: { scheme: "pkcs1", hash: "sha256", digestBytes: 32 },
  RSASSA_PKCS1_V1_5_SHA_384: { scheme: "pkcs1", hash: "sha384", digestBytes: 48 },
  RSASSA_PKCS1_V1_5_SHA_512: { scheme: "pkcs1", hash: "sha512", digestBytes: 64 },
  ECDSA_SHA_256: { scheme: "ecdsa", hash: "sha256", digestBytes: 32 },
  ECDSA_SHA_384: { scheme: "ecdsa", hash: "sha384", digestBytes: 48 },
  ECDSA_SHA_512: { scheme: "ecdsa", hash: "sha512", digestBytes: 64 },
  SM2DSA: { scheme: "unsupported", hash: "sm3", digestBytes: 32 },
  /** Its digest is mu, sent as EXTERNAL_MU. */
  ML_DSA_SHAKE_256: { scheme: "ml-dsa", hash: "shake256", digestBytes: 64 },
  ED25519_SHA_512: { scheme: "ed25519", hash: "sha512", digestBytes: 64 },
  ED25519_PH_SHA_512: { scheme: "ed25519ph", hash: "sha512", digestBytes: 64 },
} as const;

const rsaSigning: readonly SigningAlgorithm[] = [
  "RSASSA_PKCS1_V1_5_SHA_256",
  "RSASSA_PKCS1_V1_5_SHA_384",
  "RSASSA_PKCS1_V1_5_SHA_512",
  "RSASSA_PSS_SHA_256",
  "RSASSA_PSS_SHA_384",
  "RSASSA_PSS_SHA_512",
];

const rsa = (modulusLength: number): KeySpecFacts => ({
  family: "rsa",
  modulusLength,
  usages: ["SIGN_VERIFY", "ENCRYPT_DECRYPT"],
  signing: rsaSigning,
  encryption: ["RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"],
  mac: [],
});

const ec = (curve: EcCurve, signing: SigningAlgorithm, usages: readonly KeyUsage[]): KeySpecFacts => ({
  family: "ec",
  curve,
  usages,
  signing: [signing],
  encryption: [],
  mac: [],
});

const hmac = (algorithm: MacAlgorithm): KeySpecFacts => ({
  family: "hmac",
  usages: ["GENERATE_VERIFY_MAC"],
  signing: [],
  encryption: [],
  mac: [algorithm],
});

const mlDsa = (parameterSet: MlDsaSet): KeySpecFacts => ({
  family: "ml-dsa",
  parameterSet,
  usages: ["SIGN_VERIFY"],
  signing: ["ML_DSA_SHAKE_256"],
  encryption: [],
  mac: [],
});

const mlKem = (parameterSet: MlKemSet): KeySpecFacts => ({
  family: "ml-kem",
  parameterSet,
  usages: ["ENCAPSULATE_DECAPSULATE"],
  signing: [],
  encryption: [],
  mac: [],
});

/** A spec that AWS knows and this emulator refuses: it has no implementation of the cryptography. */
const unsupported = (usages: readonly KeyUsage[]): KeySpecFacts => ({
  family: "unsupported",
  usages,
  signing: [],
  encryption: [],
  mac: [],
});

const nistUsages: readonly KeyUsage[] = ["SIGN_VERIFY", "KEY_AGREEMENT"];

export const keySpecs = {
  RSA_2048: rsa(2048),
  RSA_3072: rsa(3072),
  RSA_4096: rsa(4096),
  ECC_NIST_P256: ec("prime256v1", "ECDSA_SHA_256", nistUsages),
  ECC_NIST_P384: ec("secp384r1", "ECDSA_SHA_384", nistUsages),
  ECC_NIST_P521: ec("secp521r1", "ECDSA_SHA_512", nistUsages),
  ECC_SECG_P256K1: ec("secp256k1", "ECDSA_SHA_256", ["SIGN_VERIFY"]),
  SYMMETRIC_DEFAULT: {
    family: "symmetric",
    usages: ["ENCRYPT_DECRYPT"],
    signing: [],
    encryption: ["SYMMETRIC_DEFAULT"],
    mac: [],
  },
  HMAC_224: hmac("HMAC_SHA_224"),
  HMAC_256: hmac("HMAC_SHA_256"),
  HMAC_384: hmac("HMAC_SHA_384"),
  HMAC_512: hmac("HMAC_SHA_512"),
  SM2: unsupported(["SIGN_VERIFY", "ENCRYPT_DECRYPT", "KEY_AGREEMENT"]),
  ML_DSA_44: mlDsa("44"),
  ML_DSA_65: mlDsa("65"),
  ML_DSA_87: mlDsa("87"),
  ECC_NIST_EDWARDS25519: {
    family: "ed25519",
    usages: ["SIGN_VERIFY"],
    signing: ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
    encryption: [],
    mac: [],
  },
  ML_KEM_512: mlKem("512"),
  ML_KEM_768: mlKem("768"),
  ML_KEM_1024: mlKem("1024"),
} as const satisfies Record<string, KeySpecFacts>;

export type KeySpec = keyof typeof keySpecs;

/** Widened view of the table, so that callers switch on `family` instead of on each spec's literal type. */
export const factsOf = (spec: KeySpec): KeySpecFacts => keySpecs[spec];

export const isAsymmetric = (spec: KeySpec): boolean => !["symmetric", "hmac"].includes(factsOf(spec).family);
