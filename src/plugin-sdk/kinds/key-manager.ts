/** KeyManager, for SPIRE Server and SPIRE Agent: who keeps their private keys. */
import { KeyManager as AgentKeyManager } from "../../gen/spire/plugin/agent/keymanager/v1/keymanager_pb.ts";
import {
  type HashAlgorithm,
  KeyManager,
  type KeyType,
  type SignDataRequest as WireRequest,
} from "../../gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
import type { CallContext } from "../../go-plugin/grpc/call-context.ts";
import { type ServiceRegistration, service } from "../../go-plugin/grpc/grpc-service.ts";
import { StatusError } from "../../go-plugin/grpc/status-error.ts";
import type { MaybePromise } from "./kind.ts";

/** A public key as SPIRE wants to see it. */
export interface ManagedKey {
  /** As given to `generateKey`. */
  readonly id: string;
  readonly type: KeyType;
  /** SubjectPublicKeyInfo, DER. */
  readonly pkixData: Uint8Array;
  /** Tells one key from the next under the same id; SPIRE refuses a signature with another. */
  readonly fingerprint: string;
}

export interface SignRequest {
  readonly keyId: string;
  /** A digest, made with `hashAlgorithm`. */
  readonly data: Uint8Array;
  readonly hashAlgorithm: HashAlgorithm;
  /** Present for RSA-PSS: bytes of salt, or Go's 0 (auto) and -1 (as long as the hash). */
  readonly pssSaltLength?: number;
}

/** The wants of SPIRE are checked before: ids and types are there, and a hash algorithm. */
export interface KeyManagerHandlers {
  /** Makes a key under the id. One that is there already is replaced. */
  generateKey(
    request: { readonly keyId: string; readonly keyType: KeyType },
    context: CallContext,
  ): MaybePromise<ManagedKey>;
  /** @returns undefined when there is no such key, which SPIRE is told as NOT_FOUND */
  getPublicKey(keyId: string, context: CallContext): MaybePromise<ManagedKey | undefined>;
  getPublicKeys(context: CallContext): MaybePromise<readonly ManagedKey[]>;
  signData(
    request: SignRequest,
    context: CallContext,
  ): MaybePromise<{ readonly signature: Uint8Array; readonly keyFingerprint: string }>;
}

/** A KeyManager of SPIRE Server. */
export function keyManager(handlers: KeyManagerHandlers): ServiceRegistration {
  return service(KeyManager, wireHandlers(handlers));
}

/** A KeyManager of SPIRE Agent. One plugin may serve both. */
export function agentKeyManager(handlers: KeyManagerHandlers): ServiceRegistration {
  return service(AgentKeyManager, wireHandlers(handlers));
}

/** The messages of both services have the same fields. */
function wireHandlers(handlers: KeyManagerHandlers) {
  return {
    async generateKey({ keyId, keyType }: { keyId: string; keyType: number }, context: CallContext) {
      requireText(keyId, "key id is required");
      if (keyType === 0) throw new StatusError("INVALID_ARGUMENT", "key type is required");
      return { publicKey: await handlers.generateKey({ keyId, keyType: keyType as KeyType }, context) };
    },
    async getPublicKey({ keyId }: { keyId: string }, context: CallContext) {
      requireText(keyId, "key id is required");
      const publicKey = await handlers.getPublicKey(keyId, context);
      if (publicKey === undefined) throw new StatusError("NOT_FOUND", `key "${keyId}" not found`);
      return { publicKey };
    },
    async getPublicKeys(_request: object, context: CallContext) {
      return { publicKeys: [...(await handlers.getPublicKeys(context))] };
    },
    async signData(request: Pick<WireRequest, "keyId" | "data"> & { signerOpts: unknown }, context: CallContext) {
      requireText(request.keyId, "key id is required");
      return handlers.signData({ keyId: request.keyId, data: request.data, ...signerOptions(request) }, context);
    },
  };
}

function requireText(value: string, message: string): void {
  if (value === "") throw new StatusError("INVALID_ARGUMENT", message);
}

function signerOptions({ signerOpts }: { signerOpts: unknown }): Pick<SignRequest, "hashAlgorithm" | "pssSaltLength"> {
  const given = signerOpts as WireRequest["signerOpts"];
  switch (given.case) {
    case "hashAlgorithm":
      return { hashAlgorithm: knownHash(given.value) };
    case "pssOptions":
      return { hashAlgorithm: knownHash(given.value.hashAlgorithm), pssSaltLength: given.value.saltLength };
    default:
      throw new StatusError("INVALID_ARGUMENT", "signer opts is required");
  }
}

function knownHash(algorithm: HashAlgorithm): HashAlgorithm {
  if (algorithm === 0) throw new StatusError("INVALID_ARGUMENT", "hash algorithm is required");
  return algorithm;
}
