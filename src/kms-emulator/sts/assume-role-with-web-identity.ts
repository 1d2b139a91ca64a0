/** AssumeRoleWithWebIdentity: credentials of a role for the bearer of a token. */
import type { Role } from "../directory/directory.ts";
import { AwsException } from "../exceptions.ts";
import type { OperationContext } from "../framework/context.ts";
import { operation } from "../framework/operation.ts";
import { integer, optional, required, string, structure } from "../framework/validation.ts";
import { anonymous } from "../identity.ts";
import { conditionContext } from "../policy/condition-context.ts";
import { judgeIdentityPolicies } from "../policy/evaluate.ts";
import { matchFederated } from "../policy/principals.ts";
import { withResource } from "./assume-role.ts";
import { durationOf } from "./duration.ts";
import { policy, policyArns, roleArn, roleSessionName } from "./request-members.ts";
import { openSession, requireSessionPolicy } from "./session.ts";
import { readWebIdentity, type WebIdentity } from "./web-identity-token.ts";

const action = "sts:AssumeRoleWithWebIdentity";

const refused = (): AwsException => new AwsException("AccessDenied", `Not authorized to perform ${action}`);

const providerName = (issuer: string): string => issuer.replace(/^https:\/\//, "");

/** The trust policy must allow the provider, under conditions on the token's claims such as `ISSUER:sub`. */
function requireTrust(context: OperationContext, role: Role, identity: WebIdentity): void {
  if (role.trustPolicy === undefined) throw refused();
  const name = providerName(identity.issuer);
  const conditions = { [`${name}:sub`]: identity.subject, [`${name}:aud`]: identity.audience };
  const request = { action, resource: role.arn, conditions };
  const values = conditionContext(
    anonymous,
    context.region,
    context.clock(),
    request,
    () => [],
    () => undefined,
    context.origin,
  );
  const provider = `arn:${role.arn.split(":")[1]}:iam::${role.account}:oidc-provider/${name}`;
  const { statements } = withResource(role.trustPolicy, role.arn);
  const about = { statements: statements.filter((statement) => matchFederated(statement, provider)) };
  if (judgeIdentityPolicies([about], { action, resource: role.arn, context: values }) !== "allow") throw refused();
}

/** Unsigned: the token is the only proof of who calls. */
export const assumeRoleWithWebIdentity = operation({
  service: "sts",
  name: "AssumeRoleWithWebIdentity",
  input: structure({
    RoleArn: roleArn,
    RoleSessionName: roleSessionName,
    WebIdentityToken: required(string({ min: 4, max: 20_000 })),
    ProviderId: optional(string({ min: 4, max: 2048 })),
    PolicyArns: policyArns,
    Policy: policy,
    DurationSeconds: optional(integer({ min: 900, max: 43_200 })),
  }),
  run(context, input) {
    const identity = readWebIdentity(input.WebIdentityToken, context.directory.providers, context.clock());
    const role = context.directory.role(input.RoleArn);
    if (!role) throw refused();
    if (context.directory.isStrict) requireTrust(context, role, identity);
    if (input.Policy !== undefined) requireSessionPolicy(input.Policy);
    const session = openSession(context, {
      role,
      name: input.RoleSessionName,
      durationSeconds: durationOf(context, role, input.DurationSeconds, false),
      policies: input.Policy === undefined ? [] : [input.Policy],
      tags: [],
    });
    const Provider = `arn:${role.arn.split(":")[1]}:iam::${role.account}:oidc-provider/${providerName(identity.issuer)}`;
    return { ...session, SubjectFromWebIdentityToken: identity.subject, Audience: identity.audience, Provider };
  },
});
