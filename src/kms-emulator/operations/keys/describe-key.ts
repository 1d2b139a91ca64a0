/** DescribeKey: the metadata of a key, whoever owns it. */
import type { OperationContext } from "../../framework/context.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { createManagedKey, unboundManagedAlias } from "../aliases/aws-managed-aliases.ts";
import { requireGrantTokens } from "../grant-tokens.ts";
import { keyMetadata } from "../key-metadata.ts";
import { requireKey } from "../key-reference.ts";

function describe(context: OperationContext, text: string, tokens: readonly string[] | undefined) {
  const key = requireKey(context, text, { action: "kms:DescribeKey", acceptsAlias: true, acceptsForeign: true });
  requireGrantTokens(tokens);
  return { KeyMetadata: keyMetadata(key, context.viewOf(key.account, key.region).multiRegionSet(key.keyId)) };
}

export const describeKey = kmsOperation({
  name: "DescribeKey",
  run(context, input) {
    const unbound = unboundManagedAlias(context, input.KeyId);
    if (unbound === undefined) return describe(context, input.KeyId, input.GrantTokens);
    return createManagedKey(context, unbound).then(() => describe(context, input.KeyId, input.GrantTokens));
  },
});
