/** What Sign and Verify ask of a key and a message. */
import { factsOf, type SigningAlgorithm, signingAlgorithms } from "../../crypto/key-spec.ts";
import type { SigningInput } from "../../crypto/signing.ts";
import { invalid } from "../../exceptions.ts";
import type { KeyRecord } from "../../state/records.ts";
import { requireAlgorithm, requireUsage } from "../cryptographic-key.ts";

type MessageType = "RAW" | "DIGEST" | "EXTERNAL_MU";

/** Throws InvalidKeyUsageException unless the key may sign with `algorithm`. */
export function requireSigningKey(operation: "Sign" | "Verify", key: KeyRecord, algorithm: SigningAlgorithm): void {
  requireUsage(operation, key, "SIGN_VERIFY");
  requireAlgorithm(key, algorithm, factsOf(key.spec).signing);
}

/** Which message types each scheme takes; the others take RAW and DIGEST. */
const messageTypes: Readonly<Record<string, readonly MessageType[]>> = {
  ed25519: ["RAW"],
  ed25519ph: ["DIGEST"],
  "ml-dsa": ["RAW", "EXTERNAL_MU"],
};

/** Checks the message against its type: a digest has the algorithm's length and is not hashed again. */
export function readMessage(
  key: KeyRecord,
  algorithm: SigningAlgorithm,
  type: MessageType,
  message: Uint8Array,
): SigningInput {
  const facts = signingAlgorithms[algorithm];
  if (!(messageTypes[facts.scheme] ?? ["RAW", "DIGEST"]).includes(type)) {
    throw invalid(`Message type ${type} is incompatible with key spec ${key.spec}.`); // recorded for ML_DSA_44
  }
  const isDigest = type !== "RAW";
  if (isDigest && message.length !== facts.digestBytes) {
    throw invalid(`Digest is invalid length for algorithm ${algorithm}.`);
  }
  return { bytes: message, isDigest };
}
