/** SPIRE's KeyManager service: the wire's messages to the domain's calls and back. */

import {
  KeyManager,
  HashAlgorithm as ProtoHashAlgorithm,
  KeyType as ProtoKeyType,
  type SignDataRequest,
} from "../gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
import { KeyManagerError } from "../key-manager/errors.ts";
import type { KeyManager as KeyManagerEngine } from "../key-manager/key-manager.ts";
import type { KeyType } from "../key-manager/key-type.ts";
import type { PublicKey } from "../key-manager/keys/key-entry.ts";
import type { HashAlgorithm, SignerOptions } from "../key-manager/signing/signing-algorithm.ts";
import { type CallContext, type ServiceHandlers, service } from "../plugin-sdk/index.ts";
import { withStatus } from "./status.ts";

const keyTypeOf: Readonly<Partial<Record<ProtoKeyType, KeyType>>> = {
  [ProtoKeyType.EC_P256]: "ec-p256",
  [ProtoKeyType.EC_P384]: "ec-p384",
  [ProtoKeyType.RSA_2048]: "rsa-2048",
  [ProtoKeyType.RSA_4096]: "rsa-4096",
};

const protoKeyTypeOf: Readonly<Record<KeyType, ProtoKeyType>> = {
  "ec-p256": ProtoKeyType.EC_P256,
  "ec-p384": ProtoKeyType.EC_P384,
  "rsa-2048": ProtoKeyType.RSA_2048,
  "rsa-4096": ProtoKeyType.RSA_4096,
};

const hashAlgorithmOf: Readonly<Partial<Record<ProtoHashAlgorithm, HashAlgorithm>>> = {
  [ProtoHashAlgorithm.SHA224]: "SHA224",
  [ProtoHashAlgorithm.SHA256]: "SHA256",
  [ProtoHashAlgorithm.SHA384]: "SHA384",
  [ProtoHashAlgorithm.SHA512]: "SHA512",
  [ProtoHashAlgorithm.SHA3_224]: "SHA3_224",
  [ProtoHashAlgorithm.SHA3_256]: "SHA3_256",
  [ProtoHashAlgorithm.SHA3_384]: "SHA3_384",
  [ProtoHashAlgorithm.SHA3_512]: "SHA3_512",
  [ProtoHashAlgorithm.SHA512_224]: "SHA512_224",
  [ProtoHashAlgorithm.SHA512_256]: "SHA512_256",
};

const invalid = (message: string) => new KeyManagerError("INVALID_ARGUMENT", message);

function requireKeyId(keyId: string): void {
  if (keyId === "") throw invalid("key id is required");
}

function parseKeyType(keyType: ProtoKeyType): KeyType {
  if (keyType === ProtoKeyType.UNSPECIFIED_KEY_TYPE) throw invalid("key type is required");
  const known = keyTypeOf[keyType];
  if (known === undefined) throw invalid(`unsupported key type ${keyType}`);
  return known;
}

function parseHashAlgorithm(hashAlgorithm: ProtoHashAlgorithm): HashAlgorithm {
  if (hashAlgorithm === ProtoHashAlgorithm.UNSPECIFIED_HASH_ALGORITHM) throw invalid("hash algorithm is required");
  const known = hashAlgorithmOf[hashAlgorithm];
  if (known === undefined) throw invalid(`unsupported hash algorithm ${hashAlgorithm}`);
  return known;
}

function parseSignerOptions({ signerOpts }: SignDataRequest): SignerOptions {
  switch (signerOpts.case) {
    case "hashAlgorithm":
      return { hashAlgorithm: parseHashAlgorithm(signerOpts.value) };
    case "pssOptions":
      return {
        hashAlgorithm: parseHashAlgorithm(signerOpts.value.hashAlgorithm),
        pss: { saltLength: signerOpts.value.saltLength },
      };
    default:
      throw invalid("signer opts is required");
  }
}

/** SPIRE gives a call 30 s; a host that sets no deadline gets the same. */
const defaultTimeoutMs = 30_000;

function signalOf({ signal, deadline }: CallContext): AbortSignal {
  return deadline === undefined ? AbortSignal.any([signal, AbortSignal.timeout(defaultTimeoutMs)]) : signal;
}

const protoPublicKey = ({ keyId, keyType, pkixData, fingerprint }: PublicKey) => ({
  id: keyId,
  type: protoKeyTypeOf[keyType],
  pkixData,
  fingerprint,
});

export interface KeyManagerServiceOptions {
  /** Called after each GenerateKey, whether or not it succeeded. */
  readonly onGenerated?: () => void;
  /** Whether SignData is answered without grpc-js; asked for each call. */
  readonly isFastPathOn?: () => boolean;
}

/** Serves a key manager under SPIRE's wire contract. */
export function keyManagerService(
  keyManager: Pick<KeyManagerEngine, "generateKey" | "getPublicKey" | "getPublicKeys" | "signData">,
  { onGenerated = () => undefined, isFastPathOn = () => true }: KeyManagerServiceOptions = {},
) {
  const handlers: ServiceHandlers<typeof KeyManager> = {
    generateKey({ keyId, keyType }, context) {
      const signal = signalOf(context);
      return withStatus(async () => {
        requireKeyId(keyId);
        const keyTypeAsked = parseKeyType(keyType);
        try {
          return { publicKey: protoPublicKey(await keyManager.generateKey(keyId, keyTypeAsked, signal)) };
        } finally {
          onGenerated();
        }
      }, signal);
    },
    getPublicKey: ({ keyId }) =>
      withStatus(() => {
        requireKeyId(keyId);
        return { publicKey: protoPublicKey(keyManager.getPublicKey(keyId)) };
      }),
    getPublicKeys: () => withStatus(() => ({ publicKeys: keyManager.getPublicKeys().map(protoPublicKey) })),
    signData(request, context) {
      const stop = context.deadline === undefined ? signalOf(context) : (context.cancellation ?? context.signal);
      return withStatus(() => {
        requireKeyId(request.keyId);
        const options = parseSignerOptions(request);
        return keyManager.signData(request.keyId, request.data, options, stop);
      }, stop);
    },
  };
  return service(KeyManager, handlers, { methods: ["signData"], isOn: isFastPathOn });
}
