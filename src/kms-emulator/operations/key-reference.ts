/** From the text that names a key in a request (id, ARN, alias) to the key, with permission for it. */
import { AwsException, notFound } from "../exceptions.ts";
import type { OperationContext } from "../framework/context.ts";
import { aliasArn, isKeyId, keyArn, parseArn, partitionOf } from "../identifiers.ts";
import { arnOf, type GrantRecord, type KeyRecord } from "../state/records.ts";

export interface ReferenceRules {
  /** The IAM action to ask for on the key, e.g. `kms:DescribeKey`; absent for ListAliases, which needs none. */
  readonly action?: string;
  /** DescribeKey, GetPublicKey and cryptographic operations take alias names and alias ARNs. */
  readonly acceptsAlias?: boolean;
  /** The same operations work on keys of other accounts, named by ARN. */
  readonly acceptsForeign?: boolean;
  readonly conditions?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly encryptionContext?: Readonly<Record<string, string>> | undefined;
  /** Called with the grant by which alone the caller may do it. */
  readonly onGrant?: (grant: GrantRecord) => void;
}

interface Target {
  readonly account: string;
  readonly keyId: string;
}

const aliasRefused = (): AwsException =>
  new AwsException("InvalidArnException", "Key Aliases are not supported for this operation.");

const invalidKeyId = (text: string): AwsException => notFound(`Invalid keyId '${text}'`);

function aliasTarget(context: OperationContext, account: string, name: string): Target {
  const alias = context.viewOf(account, context.region).alias(name);
  if (!alias) throw notFound(`Alias ${aliasArn(account, context.region, name)} is not found.`);
  return { account, keyId: alias.keyId };
}

function arnTarget(context: OperationContext, text: string, rules: ReferenceRules): Target {
  const arn = parseArn(text);
  if (arn?.service !== "kms" || !/^\d{12}$/.test(arn.account) || !/^(key|alias)\/./s.test(arn.resource)) {
    throw new AwsException("InvalidArnException", `Invalid arn ${text}`);
  }
  if (arn.region !== context.region || arn.partition !== partitionOf(context.region)) {
    throw notFound(`Invalid arn ${arn.region}`);
  }
  if (arn.resource.startsWith("alias/")) {
    // Recorded for CreateGrant, assumed for the others.
    if (!rules.acceptsAlias) throw aliasRefused();
    return aliasTarget(context, arn.account, arn.resource);
  }
  const keyId = arn.resource.slice("key/".length);
  if (!isKeyId(keyId)) throw invalidKeyId(keyId);
  return { account: arn.account, keyId };
}

/** Reads a KeyId or TargetKeyId in any of its forms, without asking whether the key exists. */
function targetOf(context: OperationContext, text: string, rules: ReferenceRules): Target {
  if (text.startsWith("arn:")) return arnTarget(context, text, rules);
  if (text.startsWith("alias/") && rules.acceptsAlias) return aliasTarget(context, context.account, text);
  if (text.startsWith("alias/") && rules.action === "kms:CreateGrant") throw aliasRefused();
  if (!isKeyId(text)) throw invalidKeyId(text);
  return { account: context.account, keyId: text };
}

/** The alias name in a request, for policies that allow a key only by certain aliases. */
const aliasIn = (text: string): string | undefined => /(?:^|:)(alias\/.+)$/s.exec(text)?.[1];

/**
 * The key that a request names. Throws NotFoundException, InvalidArnException or AccessDeniedException. The order (shape
 * of the identifier, permission, existence) is unverified on AWS [I].
 */
export function requireKey(context: OperationContext, text: string, rules: ReferenceRules): KeyRecord {
  const target = targetOf(context, text, rules);
  const arn = keyArn(target.account, context.region, target.keyId);
  const { action } = rules;
  if (target.account !== context.account && !rules.acceptsForeign) {
    throw new AwsException(
      "AccessDeniedException",
      `User: ${context.caller.arn} is not authorized to perform: ${action ?? "kms:ListAliases"} on resource: ${arn}`,
    );
  }
  const key = context.viewOf(target.account, context.region).key(target.keyId);
  const conditions = { ...rules.conditions, "kms:RequestAlias": aliasIn(text) };
  if (action) {
    const { encryptionContext } = rules;
    const request = { action, resource: arn, key, conditions, encryptionContext };
    const grant = context.access.require(context.caller, context.region, request);
    if (grant) rules.onGrant?.(grant);
  }
  if (!key) throw notFound(`Key '${arn}' does not exist`);
  return key;
}

/** Refuses to manage a key that belongs to an AWS service; its policy lets only the service [I]. */
export function requireCustomerKey(context: OperationContext, text: string, rules: ReferenceRules): KeyRecord {
  const key = requireKey(context, text, rules);
  if (key.keyManager === "CUSTOMER") return key;
  throw new AwsException(
    "AccessDeniedException",
    `User: ${context.caller.arn} is not authorized to perform: ${rules.action} on resource: ${arnOf(key)}`,
  );
}
