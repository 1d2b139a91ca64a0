import { type OperationContext, operation } from "../../context.ts";
import { createManagedKey, unboundManagedAlias } from "../../state/aws-managed.ts";
import { keyMetadata } from "../../state/key-metadata.ts";
import { requireKey } from "../../state/key-reference.ts";
import { structure } from "../../validation.ts";
import { grantTokens, keyId } from "../members.ts";
import { refuseGrantTokens } from "../signing/crypto-rules.ts";

function describe(context: OperationContext, text: string, tokens: readonly string[] | undefined) {
  const key = requireKey(context, text, { action: "kms:DescribeKey", acceptsAlias: true, acceptsForeign: true });
  refuseGrantTokens(tokens);
  return { KeyMetadata: keyMetadata(key, context.viewOf(key.account, key.region).multiRegionSet(key.keyId)) };
}

export const describeKey = operation({
  service: "kms",
  name: "DescribeKey",
  input: structure({ KeyId: keyId, GrantTokens: grantTokens }),
  run(context, input) {
    const unbound = unboundManagedAlias(context, input.KeyId);
    if (unbound === undefined) return describe(context, input.KeyId, input.GrantTokens);
    return createManagedKey(context, unbound).then(() => describe(context, input.KeyId, input.GrantTokens));
  },
});
