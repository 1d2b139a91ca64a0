/** ListAliases: the aliases of a Region or of one key, by pages. */

import type { OperationContext } from "../../framework/context.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { decodeMarker, firstPage, pageMembers } from "../../framework/pagination.ts";
import { aliasArn } from "../../identifiers.ts";
import type { AliasListEntry } from "../../model/kms-types.gen.ts";
import { requireKey } from "../key-reference.ts";
import { awsManagedAliases } from "./aws-managed-aliases.ts";

/** Entries of AWS-managed aliases without a key yet have neither target nor dates. */
function entry(context: OperationContext, name: string): AliasListEntry {
  const AliasArn = aliasArn(context.account, context.region, name);
  const alias = context.view.alias(name);
  if (!alias) return { AliasName: name, AliasArn };
  return {
    AliasName: name,
    AliasArn,
    TargetKeyId: alias.keyId,
    CreationDate: new Date(alias.createdAtMs),
    LastUpdatedDate: new Date(alias.updatedAtMs),
  };
}

/** Two sorted sequences as one, without duplicates. */
function* merge(left: Iterable<string>, right: readonly string[]): Generator<string> {
  let next = 0;
  for (const name of left) {
    for (; next < right.length && (right[next] ?? "") <= name; next += 1) {
      if (right[next] !== name) yield right[next] ?? "";
    }
    yield name;
  }
  yield* right.slice(next);
}

function namesAfter(context: OperationContext, keyId: string | undefined, after: string | undefined): Iterable<string> {
  if (keyId !== undefined)
    return context.view.aliasNamesOf(keyId).filter((name) => after === undefined || name > after);
  const managed = context.hasAwsManagedAliases ? awsManagedAliases : [];
  return merge(
    context.view.aliasNamesAfter(after),
    managed.filter((name) => after === undefined || name > after),
  );
}

export const listAliases = kmsOperation({
  name: "ListAliases",
  maxLimit: 100,
  run(context, input) {
    context.access.require(context.caller, context.region, { action: "kms:ListAliases", resource: "*" });
    const keyId = input.KeyId === undefined ? undefined : requireKey(context, input.KeyId, {}).keyId;
    const scope = `ListAliases/${context.account}/${context.region}/${keyId ?? ""}`;
    const after = decodeMarker(scope, input.Marker);
    const page = firstPage(namesAfter(context, keyId, after), input.Limit ?? 50);
    return { Aliases: page.items.map((name) => entry(context, name)), ...pageMembers(page, scope) };
  },
});
