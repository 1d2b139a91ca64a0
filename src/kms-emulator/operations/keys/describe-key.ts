/** DescribeKey: the metadata of a key, whoever owns it. */
import type { OperationContext } from "../../framework/context.ts";
import { operation } from "../../framework/operation.ts";
import { structure } from "../../framework/validation.ts";
import { createManagedKey, unboundManagedAlias } from "../aliases/aws-managed-aliases.ts";
import { keyMetadata } from "../key-metadata.ts";
import { requireKey } from "../key-reference.ts";
import { grantTokens, keyId } from "../request-members.ts";
import { refuseGrantTokens } from "../signing/signing-rules.ts";

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
