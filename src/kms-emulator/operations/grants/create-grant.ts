/** CreateGrant: lets a principal use a key until the grant is taken back or given back. */
import { isDeepStrictEqual } from "node:util";
import { AwsException } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import type { CreateGrantRequest } from "../../model/kms-types.gen.ts";
import { arnOf, type GrantConstraints, type GrantRecord, type KeyRecord } from "../../state/records.ts";
import { refuseDryRun } from "../cryptographic-key.ts";
import { grantTokenOf, requireGrantTokens } from "../grant-tokens.ts";
import { requireKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { requireGrantConstraints, requireGrantOperations, requireGrantPrincipals } from "./grant-rules.ts";

/** Condition keys of the request. */
function conditionsOf({ Operations, Constraints = {}, GranteePrincipal, RetiringPrincipal }: CreateGrantRequest) {
  const types = Object.entries(Constraints).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  return {
    "kms:GrantOperations": Operations,
    "kms:GrantConstraintType": types.length > 0 ? types : undefined,
    "kms:GranteePrincipal": GranteePrincipal,
    "kms:RetiringPrincipal": RetiringPrincipal,
    "kms:GrantIsForAWSResource": "false", // no AWS service calls here
  };
}

/** Members that are there, so that grants compare equal and cost nothing for what they lack. */
const given = <T extends object>(members: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as never;

function newGrant(context: OperationContext, key: KeyRecord, input: CreateGrantRequest): GrantRecord {
  return {
    account: key.account,
    region: key.region,
    keyId: key.keyId,
    grantId: context.random.hex(32),
    createdAtMs: context.clock(),
    issuingAccount: context.account,
    operations: [...new Set(input.Operations)],
    ...given({
      name: input.Name,
      granteePrincipal: input.GranteePrincipal,
      granteeServicePrincipal: input.GranteeServicePrincipal,
      retiringPrincipal: input.RetiringPrincipal,
      retiringServicePrincipal: input.RetiringServicePrincipal,
      constraints: input.Constraints && (given(input.Constraints) as GrantConstraints),
    }),
  };
}

/** The same request with the same name has made its grant before. */
function isSameGrant({ grantId: _id, createdAtMs: _at, ...left }: GrantRecord, right: GrantRecord): boolean {
  const { grantId: _rightId, createdAtMs: _rightAt, ...rest } = right;
  return isDeepStrictEqual(left, rest);
}

/** A principal that may make grants by a grant alone can hand on no more than it has. */
function requireWithinParent(context: OperationContext, key: KeyRecord, parent: GrantRecord, grant: GrantRecord): void {
  const isNarrower = grant.operations.every((operation) => parent.operations.includes(operation));
  const isAsBound = parent.constraints === undefined || isDeepStrictEqual(parent.constraints, grant.constraints);
  if (isNarrower && isAsBound) return;
  throw new AwsException(
    "AccessDeniedException",
    `User: ${context.caller.arn} is not authorized to perform: kms:CreateGrant on resource: ${arnOf(key)}`,
  );
}

/** Text [I], after those of keys and aliases. */
function requireRoomForGrant(context: OperationContext, existing: readonly GrantRecord[]): void {
  const quota = context.limits.grantsPerKey;
  if (existing.length < quota) return;
  throw new AwsException(
    "LimitExceededException",
    `Grants per key quota for this account in this region is ${quota}, current usage is ${existing.length}.`,
  );
}

export const createGrant = kmsOperation({
  name: "CreateGrant",
  run(context, input) {
    let parent: GrantRecord | undefined;
    const key = requireKey(context, input.KeyId, {
      action: "kms:CreateGrant",
      acceptsForeign: true,
      conditions: conditionsOf(input),
      onGrant: (grant) => {
        parent = grant;
      },
    });
    requireGrantTokens(input.GrantTokens);
    requireGrantPrincipals(context, input);
    requireGrantOperations(key, input.Operations);
    requireGrantConstraints(key, input);
    requireState("CreateGrant", key);
    const grant = newGrant(context, key, input);
    if (parent) requireWithinParent(context, key, parent, grant);
    const existing = context.viewOf(key.account, key.region).grantsOf(key.keyId);
    const repeated = grant.name === undefined ? undefined : existing.find((other) => isSameGrant(other, grant));
    if (!repeated) requireRoomForGrant(context, existing);
    refuseDryRun(input.DryRun);
    if (!repeated) context.commit({ kind: "put-grant", grant });
    const made = repeated ?? grant;
    return { GrantToken: grantTokenOf(made), GrantId: made.grantId };
  },
});
