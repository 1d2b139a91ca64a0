/** What the operations on aliases ask of a name, of the caller and of the key. */
import { AwsException, invalid } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import { aliasArn } from "../../identifiers.ts";
import type { KeyRecord } from "../../state/records.ts";

const prefix = "alias/";

/** Throws for a name without the prefix, one reserved for AWS, and characters that only the model's pattern lets pass. */
export function requireAliasName(name: string): void {
  if (!name.startsWith(prefix)) {
    throw invalid(
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    );
  }
  // Text unknown: taken from other emulators, unverified on AWS [L].
  if (name.startsWith("alias/aws/")) throw new AwsException("NotAuthorizedException", "");
  if (name === prefix || name.includes(":")) {
    throw invalid(`${name} contains invalid characters for an alias`);
  }
}

/** Permission is needed on the alias as well as on each key involved; the keys' part is asked for by requireKey. */
export function requireAliasAccess(context: OperationContext, action: string, name: string): void {
  const resource = aliasArn(context.account, context.region, name);
  context.access.require(context.caller, context.region, { action, resource });
}

export function requireRoomForAlias(context: OperationContext, target: KeyRecord): void {
  const used = context.view.aliasCountOf(target.keyId);
  const quota = context.limits.aliasesPerKey;
  if (used < quota) return;
  throw new AwsException(
    "LimitExceededException",
    `Aliases per key quota for this account in this region is ${quota}, current usage is ${used}.`,
  );
}

/** An alias cannot stand for another one. */
export function refuseAliasAsTarget(target: string): void {
  if (/^(?:arn:[^:]+:kms:[^:]*:[^:]*:)?alias\//.test(target)) throw invalid("Aliases must refer to keys. Not aliases");
}
