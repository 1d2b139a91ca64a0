/** What Sign, Verify and GetPublicKey ask of a key, a message and the options of a call. */
import { factsOf, type SigningAlgorithm, signingAlgorithms } from "../../crypto/key-spec.ts";
import type { SigningInput } from "../../crypto/signing.ts";
import { AwsException, invalid } from "../../exceptions.ts";
import type { KeyRecord } from "../../state/records.ts";
import { arnOf } from "../../state/records.ts";

type MessageType = "RAW" | "DIGEST" | "EXTERNAL_MU";

/** Throws InvalidKeyUsageException unless the key may sign with `algorithm`. */
export function requireSigningKey(operation: "Sign" | "Verify", key: KeyRecord, algorithm: SigningAlgorithm): void {
  if (key.usage !== "SIGN_VERIFY") {
    throw new AwsException(
      "InvalidKeyUsageException",
      `${arnOf(key)} key usage is ${key.usage} which is not valid for ${operation}.`,
    );
  }
  if (!factsOf(key.spec).signing.includes(algorithm)) {
    throw new AwsException(
      "InvalidKeyUsageException",
      `Algorithm ${algorithm} is incompatible with key spec ${key.spec}.`,
    );
  }
}

/** Checks the message against its type: a digest has the algorithm's length and is not hashed again. */
export function readMessage(algorithm: SigningAlgorithm, type: MessageType, message: Uint8Array): SigningInput {
  const facts = signingAlgorithms[algorithm];
  // ED25519_SHA_512 signs whole messages only, ED25519_PH_SHA_512 digests only; texts unverified on AWS [I].
  const isUnfit = type === "EXTERNAL_MU" || (facts.scheme === "ed25519" && type === "DIGEST");
  if (isUnfit || (facts.scheme === "ed25519ph" && type === "RAW")) {
    throw invalid(`Message type ${type} is incompatible with algorithm ${algorithm}.`);
  }
  if (type === "DIGEST" && message.length !== facts.digestBytes) {
    throw invalid(`Digest is invalid length for algorithm ${algorithm}.`);
  }
  return { bytes: message, isDigest: type === "DIGEST" };
}

/** The emulator hands out no grants, so no grant token can be valid. */
export function refuseGrantTokens(tokens: readonly string[] | undefined): void {
  if (tokens && tokens.length > 0) throw new AwsException("InvalidGrantTokenException", "Grant token is invalid."); // text [I]
}

export function refuseDryRun(isDryRun: boolean | undefined): void {
  if (isDryRun) {
    throw new AwsException(
      "DryRunOperationException",
      "The request would have succeeded, but the DryRun option is set.",
    );
  }
}
