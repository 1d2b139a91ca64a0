import { operation } from "../../context.ts";
import { isAsymmetric } from "../../crypto/key-spec.ts";
import { AwsException } from "../../exceptions.ts";
import { algorithmMembers } from "../../state/key-metadata.ts";
import { arnOf, requireKey } from "../../state/key-reference.ts";
import { requireState } from "../../state/key-state.ts";
import { structure } from "../../validation.ts";
import { grantTokens, keyId } from "../members.ts";
import { refuseGrantTokens } from "./crypto-rules.ts";

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
