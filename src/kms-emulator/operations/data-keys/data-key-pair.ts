/** Data key pairs: a new key pair, and its private half under a key. */
import { factsOf } from "../../crypto/key-spec.ts";
import { privateKeyDer } from "../../crypto/private-key-der.ts";
import { AwsException } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import type { GenerateDataKeyPairRequest } from "../../model/kms-types.gen.ts";
import { arnOf } from "../../state/records.ts";
import { refuseDryRun } from "../cryptographic-key.ts";
import { encryptUnder } from "../encryption/encryption-rules.ts";
import { requireDataKeyKey } from "./data-key.ts";

/** A key pair and what goes with it in an answer; the private key is the caller's to show. */
export async function makeDataKeyPair(
  context: OperationContext,
  operation: "GenerateDataKeyPair" | "GenerateDataKeyPairWithoutPlaintext",
  input: Omit<GenerateDataKeyPairRequest, "Recipient">,
) {
  const { KeyPairSpec } = input;
  const key = requireDataKeyKey(context, operation, input, { "kms:DataKeyPairSpec": KeyPairSpec });
  if (factsOf(KeyPairSpec).family === "unsupported") {
    throw new AwsException("UnsupportedOperationException", `This emulator has no cryptography for ${KeyPairSpec}.`);
  }
  refuseDryRun(input.DryRun);
  const pair = await context.materials.create(KeyPairSpec);
  const privateKey = privateKeyDer(pair);
  const PrivateKeyCiphertextBlob = encryptUnder(context, key, "SYMMETRIC_DEFAULT", privateKey, input.EncryptionContext);
  context.noteUse(key, operation);
  const members = {
    PrivateKeyCiphertextBlob,
    PublicKey: pair.publicKey,
    KeyId: arnOf(key),
    KeyPairSpec,
    KeyMaterialId: key.materialId,
  };
  return { privateKey, members };
}
