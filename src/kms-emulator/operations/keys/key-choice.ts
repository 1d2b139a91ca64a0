/** What kind of key CreateKey is asked for, and whether there is such a kind. */
import { factsOf, type KeySpec, type KeyUsage } from "../../crypto/key-spec.ts";
import { AwsException, invalid } from "../../exceptions.ts";
import type { CreateKeyRequest } from "../../model/kms-types.gen.ts";
import { noSuchKeyStore } from "../custom-key-stores/no-such-key-store.ts";

export function chooseSpec(input: CreateKeyRequest): { spec: KeySpec; usage: KeyUsage } {
  if (input.KeySpec !== undefined && input.CustomerMasterKeySpec !== undefined) {
    throw invalid("You cannot specify KeySpec and CustomerMasterKeySpec in the same request."); // text [L]
  }
  const given = input.KeySpec ?? input.CustomerMasterKeySpec;
  const spec = given ?? "SYMMETRIC_DEFAULT";
  const usage = input.KeyUsage ?? (spec === "SYMMETRIC_DEFAULT" ? "ENCRYPT_DECRYPT" : undefined);
  if (usage === undefined) {
    throw invalid("You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.");
  }
  if (given === undefined && usage !== "ENCRYPT_DECRYPT") {
    throw invalid(
      `The operation failed because the KeyUsage value of the CMK is ${usage}. To perform this operation, the KeyUsage value must be ENCRYPT_DECRYPT.`,
    );
  }
  const facts = factsOf(spec);
  if (!facts.usages.includes(usage)) throw invalid(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  if (facts.family === "unsupported") {
    throw new AwsException(
      "UnsupportedOperationException",
      `This emulator has no implementation of key spec ${spec}; AWS KMS has it in Regions in China.`,
    );
  }
  return { spec, usage };
}

/** Custom key stores are known by their id, and there is none. Texts [I]. */
export function chooseOrigin(input: CreateKeyRequest): "AWS_KMS" | "EXTERNAL" {
  const { Origin = "AWS_KMS", CustomKeyStoreId, XksKeyId } = input;
  if (XksKeyId !== undefined && Origin !== "EXTERNAL_KEY_STORE") {
    throw invalid("XksKeyId is valid only when the Origin is EXTERNAL_KEY_STORE.");
  }
  if (Origin === "AWS_KMS" || Origin === "EXTERNAL") {
    if (CustomKeyStoreId === undefined) return Origin;
    throw invalid(`CustomKeyStoreId is not valid when the Origin is ${Origin}.`);
  }
  if (CustomKeyStoreId === undefined) throw invalid(`CustomKeyStoreId is required when the Origin is ${Origin}.`);
  throw noSuchKeyStore(CustomKeyStoreId);
}
