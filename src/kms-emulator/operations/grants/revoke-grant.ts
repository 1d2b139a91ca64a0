/** RevokeGrant: takes a grant away, by those who manage the key. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { refuseDryRun } from "../cryptographic-key.ts";
import { requireKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { findGrant } from "./find-grant.ts";

export const revokeGrant = kmsOperation({
  name: "RevokeGrant",
  run(context, input) {
    const key = requireKey(context, input.KeyId, {
      action: "kms:RevokeGrant",
      acceptsForeign: true,
      conditions: { "kms:GrantIsForAWSResource": "false" },
    });
    requireState("RevokeGrant", key);
    const { account, region, grantId } = findGrant(context, key, input.GrantId);
    refuseDryRun(input.DryRun);
    context.commit({ kind: "delete-grant", account, region, grantId });
    return undefined;
  },
});
