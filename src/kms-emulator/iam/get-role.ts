/** GetRole of IAM: a configured role with its path. */
import type { Role } from "../directory/directory.ts";
import { AwsException } from "../exceptions.ts";
import type { OperationContext } from "../framework/context.ts";
import { operation } from "../framework/operation.ts";
import { required, string, structure } from "../framework/validation.ts";
import { parseArn } from "../identifiers.ts";

/** Roles are configured, not created: they are all as old as the example in AWS's documentation. */
const createDate = new Date("2012-05-08T23:34:01Z");

const pathOf = ({ arn, name }: Role): string => arn.slice(arn.indexOf(":role/") + ":role".length, -name.length);

/** RFC 3986, as IAM encodes policy documents. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** Permission is needed to hear even that there is no such role. */
function requirePermission(context: OperationContext, arn: string): void {
  context.access.require(context.caller, context.region, { action: "iam:GetRole", resource: arn });
}

export const getRole = operation({
  service: "iam",
  name: "GetRole",
  input: structure({ RoleName: required(string({ min: 1, max: 64, pattern: "[\\w+=,.@-]+" })) }),
  run(context, { RoleName }) {
    const { caller, directory } = context;
    const role = directory.roleNamed(caller, RoleName);
    requirePermission(
      context,
      role?.arn ?? `arn:${parseArn(caller.arn)?.partition}:iam::${caller.account}:role/${RoleName}`,
    );
    if (role === undefined) {
      throw new AwsException("NoSuchEntity", `The role with name ${RoleName} cannot be found.`);
    }
    return {
      Role: {
        Path: pathOf(role),
        RoleName: role.name,
        RoleId: role.roleId,
        Arn: role.arn,
        CreateDate: createDate,
        AssumeRolePolicyDocument: role.trustPolicy === undefined ? undefined : encoded(role.trustPolicy),
        MaxSessionDuration: role.maxSessionSeconds,
      },
    };
  },
});
