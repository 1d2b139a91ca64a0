/** GetParametersForImport: a wrapping key, and the token that goes with it for a day. */
import type { WrappingAlgorithm } from "../../crypto/imports/unwrap.ts";
import { AwsException } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf, dayMs, type ImportTokenRecord } from "../../state/records.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { requireImportable } from "./import-rules.ts";

const wrappingAlgorithms: Readonly<Record<string, WrappingAlgorithm>> = {
  RSAES_OAEP_SHA_1: "RSAES_OAEP_SHA_1",
  RSAES_OAEP_SHA_256: "RSAES_OAEP_SHA_256",
  RSA_AES_KEY_WRAP_SHA_1: "RSA_AES_KEY_WRAP_SHA_1",
  RSA_AES_KEY_WRAP_SHA_256: "RSA_AES_KEY_WRAP_SHA_256",
};

/** AWS has given up RSAES_PKCS1_V1_5; SM2 is for Regions in China. Text [I]. */
function algorithmOf(name: string): WrappingAlgorithm {
  const algorithm = wrappingAlgorithms[name];
  if (algorithm) return algorithm;
  throw new AwsException("UnsupportedOperationException", `Wrapping algorithm ${name} is not supported.`);
}

export const getParametersForImport = kmsOperation({
  name: "GetParametersForImport",
  async run(context, input) {
    const { WrappingKeySpec } = input;
    const key = requireCustomerKey(context, input.KeyId, {
      action: "kms:GetParametersForImport",
      conditions: { "kms:WrappingAlgorithm": input.WrappingAlgorithm, "kms:WrappingKeySpec": WrappingKeySpec },
    });
    requireImportable(key);
    requireState("GetParametersForImport", key);
    const algorithm = algorithmOf(input.WrappingAlgorithm);
    if (WrappingKeySpec === "SM2") {
      throw new AwsException("UnsupportedOperationException", "Wrapping key spec SM2 is not supported."); // text [I]
    }
    const { secret, publicKey } = await context.materials.create(WrappingKeySpec);
    const token: ImportTokenRecord = {
      tokenId: context.random.hex(64),
      account: key.account,
      region: key.region,
      keyId: key.keyId,
      algorithm,
      wrappingKey: Buffer.from(secret).toString("base64"),
      validToMs: context.clock() + dayMs,
    };
    context.commit({ kind: "put-import-token", token });
    return {
      KeyId: arnOf(key),
      ImportToken: Buffer.from(token.tokenId, "hex"),
      PublicKey: publicKey,
      ParametersValidTo: new Date(token.validToMs),
    };
  },
});
