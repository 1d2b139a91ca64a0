/** RetireGrant: gives a grant back, by those whom the grant itself names. */
import { AwsException, invalid, notFound } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { keyArn } from "../../identifiers.ts";
import type { RetireGrantRequest } from "../../model/kms-types.gen.ts";
import { matchName } from "../../policy/principals.ts";
import type { GrantRecord } from "../../state/records.ts";
import { refuseDryRun } from "../cryptographic-key.ts";
import { readGrantToken } from "../grant-tokens.ts";
import { requireKey } from "../key-reference.ts";
import { findGrant, grantNotFound } from "./find-grant.ts";

/** The grant by its token, or by its key and id. Texts [I]. */
function grantOf(context: OperationContext, input: RetireGrantRequest): GrantRecord {
  const { GrantToken, KeyId, GrantId } = input;
  if (GrantToken !== undefined) {
    const { account, region, keyId, grantId } = readGrantToken(GrantToken);
    if (region !== context.region) throw notFound(`Invalid arn ${region}`);
    const grant = context.viewOf(account, region).grant(grantId);
    if (grant?.keyId !== keyId) throw grantNotFound(grantId);
    return grant;
  }
  if (KeyId === undefined || GrantId === undefined) {
    throw invalid("Grant token OR (grant ID, key ID) must be specified"); // text [L]
  }
  return findGrant(context, requireKey(context, KeyId, { acceptsForeign: true }), GrantId);
}

/** The retiring principal, a grantee whom the grant lets give it back, and those whom the key's account lets. */
function requireMayGiveBack(context: OperationContext, grant: GrantRecord): void {
  const { caller } = context;
  if (!context.access.isEvaluating) return;
  const isNamed = (name: string | undefined) => name !== undefined && matchName(name, caller) === "direct";
  if (isNamed(grant.retiringPrincipal)) return;
  if (grant.operations.includes("RetireGrant") && isNamed(grant.granteePrincipal)) return;
  const resource = keyArn(grant.account, grant.region, grant.keyId);
  const isOwner = caller.account === grant.account || caller.account === grant.issuingAccount;
  if (!isOwner) {
    throw new AwsException(
      "AccessDeniedException",
      `User: ${caller.arn} is not authorized to perform: kms:RetireGrant on resource: ${resource}`,
    );
  }
  context.access.require(caller, context.region, { action: "kms:RetireGrant", resource });
}

export const retireGrant = kmsOperation({
  name: "RetireGrant",
  run(context, input) {
    const grant = grantOf(context, input);
    requireMayGiveBack(context, grant);
    refuseDryRun(input.DryRun);
    const { account, region, grantId } = grant;
    context.commit({ kind: "delete-grant", account, region, grantId });
    return undefined;
  },
});
