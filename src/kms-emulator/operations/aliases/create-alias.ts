/** CreateAlias: a name for a key. */
import { AwsException } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { aliasArn } from "../../identifiers.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { refuseAliasAsTarget, requireAliasAccess, requireAliasName, requireRoomForAlias } from "./alias-rules.ts";

export const createAlias = kmsOperation({
  name: "CreateAlias",
  run(context, input) {
    const { account, region, view } = context;
    const name = input.AliasName;
    requireAliasName(name);
    refuseAliasAsTarget(input.TargetKeyId);
    requireAliasAccess(context, "kms:CreateAlias", name);
    const key = requireCustomerKey(context, input.TargetKeyId, { action: "kms:CreateAlias" });
    requireState("CreateAlias", key);
    if (view.currentAlias(name)) {
      throw new AwsException(
        "AlreadyExistsException",
        `An alias with the name ${aliasArn(account, region, name)} already exists`,
      );
    }
    requireRoomForAlias(context, key);
    const nowMs = context.clock();
    const alias = { account, region, name, keyId: key.keyId, createdAtMs: nowMs, updatedAtMs: nowMs };
    context.commit({ kind: "put-alias", alias });
    return undefined;
  },
});
