/** UpdateAlias: points an alias to another key of the same kind, or renews its date. */
import { isAsymmetric } from "../../crypto/key-spec.ts";
import { invalid, notFound } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { aliasArn } from "../../identifiers.ts";
import type { KeyRecord } from "../../state/records.ts";
import { requireCustomerKey, requireKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { refuseAliasAsTarget, requireAliasAccess, requireAliasName, requireRoomForAlias } from "./alias-rules.ts";

const typeClass = (key: KeyRecord): string => (isAsymmetric(key.spec) ? "asymmetric" : (key.spec.split("_")[0] ?? ""));

/** Exact texts unverified on AWS. */
function requireSameKind(before: KeyRecord, after: KeyRecord): void {
  if (typeClass(before) !== typeClass(after)) {
    throw invalid(
      `Alias cannot be changed from key spec ${before.spec} to ${after.spec}: the type of the current and the new KMS key must be the same.`,
    );
  }
  if (before.usage !== after.usage) {
    throw invalid(
      `Alias cannot be changed from key usage ${before.usage} to ${after.usage}: the key usage of the current and the new KMS key must be the same.`,
    );
  }
}

/** Permission on the key that the alias leaves, and the comparison of the two keys. */
function requireMayLeave(context: OperationContext, beforeId: string, after: KeyRecord): void {
  const before = context.view.currentKey(beforeId);
  if (!before || before.keyId === after.keyId) return;
  requireKey(context, before.keyId, { action: "kms:UpdateAlias" });
  requireSameKind(before, after);
  requireRoomForAlias(context, after);
}

export const updateAlias = kmsOperation({
  name: "UpdateAlias",
  run(context, input) {
    const { account, region, view } = context;
    const name = input.AliasName;
    requireAliasName(name);
    refuseAliasAsTarget(input.TargetKeyId);
    requireAliasAccess(context, "kms:UpdateAlias", name);
    const key = requireCustomerKey(context, input.TargetKeyId, { action: "kms:UpdateAlias" });
    const alias = view.alias(name) && view.currentAlias(name);
    if (!alias) throw notFound(`Alias ${aliasArn(account, region, name)} is not found.`);
    requireState("UpdateAlias", key);
    requireMayLeave(context, alias.keyId, key);
    const moved = { ...alias, keyId: key.keyId, updatedAtMs: context.clock() };
    context.commit({ kind: "put-alias", alias: moved });
    return undefined;
  },
});
