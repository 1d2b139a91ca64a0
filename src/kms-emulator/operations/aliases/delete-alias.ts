/** DeleteAlias: takes an alias off its key. */
import { notFound } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { aliasArn } from "../../identifiers.ts";
import { requireKey } from "../key-reference.ts";
import { requireAliasAccess, requireAliasName } from "./alias-rules.ts";

export const deleteAlias = kmsOperation({
  name: "DeleteAlias",
  run(context, input) {
    const { account, region, view } = context;
    const name = input.AliasName;
    requireAliasName(name);
    requireAliasAccess(context, "kms:DeleteAlias", name);
    const alias = view.alias(name) && view.currentAlias(name);
    if (!alias) throw notFound(`Alias ${aliasArn(account, region, name)} is not found.`);
    if (view.key(alias.keyId)) requireKey(context, alias.keyId, { action: "kms:DeleteAlias" });
    context.commit({ kind: "delete-alias", account, region, name });
    return undefined;
  },
});
