import { operation } from "../context.ts";
import { keyMetadata } from "../key-metadata.ts";
import { requireKey } from "../key-reference.ts";
import { structure } from "../validation.ts";
import { refuseGrantTokens } from "./crypto-rules.ts";
import { grantTokens, keyId } from "./members.ts";

export const describeKey = operation({
  service: "kms",
  name: "DescribeKey",
  input: structure({ KeyId: keyId, GrantTokens: grantTokens }),
  run(context, input) {
    const rules = { action: "kms:DescribeKey", acceptsAlias: true, acceptsForeign: true };
    const key = requireKey(context, input.KeyId, rules);
    refuseGrantTokens(input.GrantTokens);
    return { KeyMetadata: keyMetadata(key, context.viewOf(key.account, key.region).multiRegionSet(key.keyId)) };
  },
});
