/** GetPublicKey: the public half of an asymmetric key, and what it may be used for. */
import { isAsymmetric } from "../../crypto/key-spec.ts";
import { AwsException } from "../../exceptions.ts";
import { operation } from "../../framework/operation.ts";
import { structure } from "../../framework/validation.ts";
import { arnOf } from "../../state/records.ts";
import { algorithmMembers } from "../key-metadata.ts";
import { requireKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { grantTokens, keyId } from "../request-members.ts";
import { refuseGrantTokens } from "./signing-rules.ts";

export const getPublicKey = operation({
  service: "kms",
  name: "GetPublicKey",
  input: structure({ KeyId: keyId, GrantTokens: grantTokens }),
  run(context, input) {
    const rules = { action: "kms:GetPublicKey", acceptsAlias: true, acceptsForeign: true };
    const key = requireKey(context, input.KeyId, rules);
    refuseGrantTokens(input.GrantTokens);
    requireState("GetPublicKey", key);
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
      CustomerMasterKeySpec: key.spec,
      KeySpec: key.spec,
      KeyUsage: key.usage,
      ...algorithmMembers(key),
    };
  },
});
