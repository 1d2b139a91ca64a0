/** AssumeRole: credentials of a role for a caller that its trust policy names. */
import type { Role } from "../directory/directory.ts";
import { AwsException } from "../exceptions.ts";
import type { OperationContext } from "../framework/context.ts";
import { operation } from "../framework/operation.ts";
import { integer, list, optional, string, structure } from "../framework/validation.ts";
import { conditionContext } from "../policy/condition-context.ts";
import { parsePolicy } from "../policy/document.ts";
import { judgeResourcePolicy } from "../policy/evaluate.ts";
import { durationOf } from "./duration.ts";
import { policy, policyArns, roleArn, roleSessionName, sessionTags } from "./request-members.ts";
import { openSession, requireSessionPolicy } from "./session.ts";

const action = "sts:AssumeRole";

const refused = (context: OperationContext, arn: string): AwsException =>
  new AwsException(
    "AccessDenied",
    `User: ${context.caller.arn} is not authorized to perform: ${action} on resource: ${arn}`,
  );

/** The trust policy must name the caller; one that names only the account leaves it to the caller's IAM policies. */
function requireTrust(context: OperationContext, role: Role, externalId: string | undefined): void {
  const { caller, region } = context;
  const request = {
    action,
    resource: role.arn,
    conditions: { "sts:ExternalId": externalId },
  };
  if (role.trustPolicy === undefined && role.account !== caller.account) throw refused(context, role.arn);
  if (role.trustPolicy !== undefined) {
    const values = conditionContext(
      caller,
      region,
      context.clock(),
      request,
      () => [],
      () => undefined,
      context.origin,
    );
    // A trust policy has no Resource: it is about its own role.
    const question = { action, resource: role.arn, context: values };
    const { verdict, by } = judgeResourcePolicy(withResource(role.trustPolicy, role.arn), question, caller);
    if (verdict !== "allow") throw refused(context, role.arn);
    if (by === "direct" && role.account === caller.account) return;
  }
  context.access.require(caller, region, request);
}

/** The trust policy with each statement's missing Resource filled in. */
export function withResource(trustPolicy: string, arn: string) {
  const { statements } = parsePolicy(trustPolicy);
  return { statements: statements.map((statement) => ({ ...statement, resources: [arn], isNotResource: false })) };
}

export const assumeRole = operation({
  service: "sts",
  name: "AssumeRole",
  input: structure({
    RoleArn: roleArn,
    RoleSessionName: roleSessionName,
    PolicyArns: policyArns,
    Policy: policy,
    DurationSeconds: optional(integer({ min: 900, max: 43_200 })),
    Tags: sessionTags,
    TransitiveTagKeys: optional(list(string({ min: 1, max: 128 }), { max: 50 })),
    ExternalId: optional(string({ min: 2, max: 1224, pattern: "[\\w+=,.@:\\/-]*" })),
    SerialNumber: optional(string({ min: 9, max: 256, pattern: "[\\w+=/:,.@-]*" })),
    TokenCode: optional(string({ min: 6, max: 6, pattern: "[\\d]*" })),
    SourceIdentity: optional(string({ min: 2, max: 64, pattern: "[\\w+=,.@-]*" })),
  }),
  run(context, input) {
    if (context.caller.kind === "root") {
      throw new AwsException("AccessDenied", "Roles may not be assumed by root accounts.");
    }
    const role = context.directory.role(input.RoleArn);
    if (!role) throw refused(context, input.RoleArn);
    if (context.directory.isStrict) requireTrust(context, role, input.ExternalId);
    if (input.Policy !== undefined) requireSessionPolicy(input.Policy);
    const isChained = context.caller.kind === "assumed-role" && context.caller.accessKeyId?.startsWith("ASIA") === true;
    return openSession(context, {
      role,
      name: input.RoleSessionName,
      durationSeconds: durationOf(context, role, input.DurationSeconds, isChained),
      policies: input.Policy === undefined ? [] : [input.Policy],
      tags: (input.Tags ?? []).map(({ Key, Value }) => ({ key: Key, value: Value })),
    });
  },
});
