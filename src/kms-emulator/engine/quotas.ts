/** Requests a second: which quota a call is charged to, and whether there is room. */
import { factsOf } from "../crypto/key-spec.ts";
import { didYouMean, EmulatorError } from "../errors.ts";
import type { OperationContext } from "../framework/context.ts";
import { parseArn } from "../identifiers.ts";
import type { KeyRecord } from "../state/records.ts";
import { TokenBucket } from "../token-bucket.ts";

/**
 * Requests per second, per account and Region (docs/aws-kms-behaviour.md, "Quotas": AWS's documentation of 2023; later
 * values may differ). Cryptographic operations share a quota per kind of key.
 */
export const requestQuotas: Readonly<Record<string, number>> = {
  CryptographicOperationsSymmetric: 50_000,
  CryptographicOperationsRSA: 500,
  CryptographicOperationsECC: 300,
  GenerateDataKeyPairRSA2048: 1,
  GenerateDataKeyPairRSA3072: 0.5,
  GenerateDataKeyPairRSA4096: 0.1,
  GenerateDataKeyPairECC: 25,
  CancelKeyDeletion: 5,
  ConnectCustomKeyStore: 5,
  CreateAlias: 5,
  CreateCustomKeyStore: 5,
  CreateGrant: 50,
  CreateKey: 5,
  DeleteAlias: 15,
  DeleteCustomKeyStore: 5,
  DeleteImportedKeyMaterial: 5,
  DescribeCustomKeyStores: 5,
  DescribeKey: 2000,
  DisableKey: 5,
  DisableKeyRotation: 5,
  DisconnectCustomKeyStore: 5,
  EnableKey: 5,
  EnableKeyRotation: 15,
  GetKeyLastUsage: 5,
  GetKeyPolicy: 1000,
  GetKeyRotationStatus: 1000,
  GetParametersForImport: 0.25,
  GetPublicKey: 2000,
  ImportKeyMaterial: 15,
  ListAliases: 500,
  ListGrants: 100,
  ListKeyPolicies: 100,
  ListKeyRotations: 100,
  ListKeys: 500,
  ListResourceTags: 2000,
  ListRetirableGrants: 100,
  PutKeyPolicy: 15,
  ReplicateKey: 5,
  RetireGrant: 30,
  RevokeGrant: 30,
  RotateKeyOnDemand: 5,
  ScheduleKeyDeletion: 15,
  TagResource: 10,
  UntagResource: 5,
  UpdateAlias: 5,
  UpdateCustomKeyStore: 5,
  UpdateKeyDescription: 5,
  UpdatePrimaryRegion: 5,
};

/** Operations that share the quota of the key's kind. */
const cryptographic = new Set([
  "Decapsulate",
  "Decrypt",
  "DeriveSharedSecret",
  "Encapsulate",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateMac",
  "GenerateRandom",
  "ReEncrypt",
  "Sign",
  "Verify",
  "VerifyMac",
]);

function kindOf(key: KeyRecord | undefined, operation: string): string {
  const family = key && factsOf(key.spec).family;
  if (family === "rsa") return "RSA";
  if (family === "symmetric" || family === "hmac") return "Symmetric";
  // A key that is not there is charged as the operation's usual one.
  return family === undefined && operation !== "Sign" && operation !== "Verify" ? "Symmetric" : "ECC";
}

function pairQuota(spec: unknown): string {
  const size = /^RSA_(\d+)$/.exec(String(spec))?.[1];
  return size === undefined ? "GenerateDataKeyPairECC" : `GenerateDataKeyPairRSA${size}`;
}

interface Charge {
  readonly quota: string;
  readonly region: string;
  readonly amount: number;
}

/** The key a request names, found without complaints: a bad request is charged, too, and refused later. */
function peekKey(context: OperationContext, keyId: unknown): KeyRecord | undefined {
  if (typeof keyId !== "string") return undefined;
  const arn = parseArn(keyId);
  const view = arn ? context.viewOf(arn.account, context.region) : context.view;
  const name = arn?.resource ?? keyId;
  const id = name.startsWith("alias/") ? view.alias(name)?.keyId : name.replace(/^key\//, "");
  return id === undefined ? undefined : view.key(id);
}

function charges(context: OperationContext, operation: string, input: unknown): Charge[] {
  const { region } = context;
  const members = (typeof input === "object" && input !== null ? input : {}) as Readonly<Record<string, unknown>>;
  if (cryptographic.has(operation)) {
    const key = peekKey(context, members.KeyId ?? members.DestinationKeyId);
    return [{ quota: `CryptographicOperations${kindOf(key, operation)}`, region, amount: 1 }];
  }
  if (operation.startsWith("GenerateDataKeyPair")) {
    return [{ quota: pairQuota(members.KeyPairSpec), region, amount: 1 }];
  }
  const own = { quota: operation, region, amount: 1 };
  if (operation === "ReplicateKey" && typeof members.ReplicaRegion === "string") {
    return [own, { quota: "CreateKey", region: members.ReplicaRegion, amount: 2 }];
  }
  if (operation === "UpdatePrimaryRegion" && typeof members.PrimaryRegion === "string") {
    return [own, { ...own, region: members.PrimaryRegion }];
  }
  return [own];
}

export class Quotas {
  readonly #perSecond: Readonly<Record<string, number>>;
  readonly #buckets = new Map<string, TokenBucket>();

  /** @param operations the names of all that there are */
  constructor(option: boolean | Readonly<Record<string, number>>, operations: Iterable<string>) {
    const overrides = typeof option === "object" ? option : {};
    const names = [...Object.keys(requestQuotas), ...operations];
    const stray = Object.keys(overrides).find((name) => !names.includes(name));
    if (stray !== undefined) {
      throw new EmulatorError("INVALID_OPTION", `quotas: there is no operation ${stray}${didYouMean(stray, names)}`);
    }
    const bad = Object.entries(overrides).find(([, value]) => !(typeof value === "number" && value > 0));
    if (bad) throw new EmulatorError("INVALID_OPTION", `quota ${bad[0]} must be a number of calls a second above 0`);
    this.#perSecond = option === false ? {} : { ...requestQuotas, ...overrides };
  }

  /** As if nothing had been called yet. */
  clear(): void {
    this.#buckets.clear();
  }

  /** False if the call is over a quota. Charged to the caller's account, also for another account's key. */
  admit(context: OperationContext, operation: string, input: unknown): boolean {
    return charges(context, operation, input).every(({ quota, region, amount }) => {
      const perSecond = this.#perSecond[quota];
      if (perSecond === undefined) return true;
      const name = `${context.account}/${region}/${quota}`;
      const bucket = this.#buckets.get(name) ?? new TokenBucket(perSecond);
      this.#buckets.set(name, bucket);
      return bucket.take(context.clock(), amount);
    });
  }
}
