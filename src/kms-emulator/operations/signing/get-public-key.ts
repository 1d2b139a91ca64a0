/** GetPublicKey: the public half of an asymmetric key, and what it may be used for. */
import { isAsymmetric } from "../../crypto/key-spec.ts";
import { AwsException } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { arnOf } from "../../state/records.ts";
import { requireCryptographicKey } from "../cryptographic-key.ts";
import { algorithmMembers, specMembers } from "../key-metadata.ts";

export const getPublicKey = kmsOperation({
  name: "GetPublicKey",
  run(context, input) {
    const { KeyId: keyId, GrantTokens: grantTokens } = input;
    const key = requireCryptographicKey(context, { operation: "GetPublicKey", keyId, grantTokens });
    if (!isAsymmetric(key.spec)) {
      // Both this and InvalidKeyUsageException are modelled; unverified on AWS [L].
      throw new AwsException(
        "UnsupportedOperationException",
        `${arnOf(key)} is a ${key.spec} key, which has no public key.`,
      );
    }
    return {
      KeyId: arnOf(key),
      PublicKey: context.materialOf(key).publicKey,
      ...specMembers(key.spec),
      KeyUsage: key.usage,
      ...algorithmMembers(key),
    };
  },
});
