/** The values of the condition keys that a request is judged by. */
import { parseArn } from "../identifiers.ts";
import type { Identity } from "../identity.ts";
import type { KeyRecord } from "../state/records.ts";
import type { AccessRequest } from "./access-request.ts";
import type { ConditionContext } from "./conditions.ts";

type Values = Readonly<Record<string, string | readonly string[] | undefined>>;

const principalTypes = {
  root: "Account",
  user: "User",
  "assumed-role": "AssumedRole",
  "federated-user": "FederatedUser",
} as const;

function callerValues(caller: Identity): Values {
  const tags = Object.fromEntries(caller.tags.map((tag) => [`aws:PrincipalTag/${tag.key}`, tag.value]));
  return {
    "aws:PrincipalArn": caller.principalArn,
    "aws:PrincipalAccount": caller.account,
    "aws:PrincipalType": principalTypes[caller.kind],
    "aws:userid": caller.userId,
    "aws:username": caller.kind === "user" ? caller.arn.slice(caller.arn.lastIndexOf("/") + 1) : undefined,
    "kms:CallerAccount": caller.account,
    ...tags,
  };
}

function keyValues(key: KeyRecord, aliases: readonly string[], primaryRegion: string | undefined): Values {
  const tags = Object.fromEntries(key.tags.map((tag) => [`aws:ResourceTag/${tag.key}`, tag.value]));
  return {
    "aws:ResourceAccount": key.account,
    "kms:KeySpec": key.spec,
    "kms:KeyUsage": key.usage,
    "kms:KeyOrigin": "AWS_KMS",
    "kms:MultiRegion": String(key.isMultiRegion),
    "kms:MultiRegionKeyType": primaryRegion && (primaryRegion === key.region ? "PRIMARY" : "REPLICA"),
    "kms:ResourceAliases": aliases,
    ...tags,
  };
}

/** Values of all condition keys that this emulator knows, for one request. */
export function conditionContext(
  caller: Identity,
  region: string,
  nowMs: number,
  request: AccessRequest,
  aliasesOf: (key: KeyRecord) => readonly string[],
  primaryRegionOf: (key: KeyRecord) => string | undefined,
): ConditionContext {
  const { key } = request;
  const values: Values = {
    "aws:RequestedRegion": region,
    "aws:CurrentTime": new Date(nowMs).toISOString(),
    "aws:EpochTime": String(Math.floor(nowMs / 1000)),
    "aws:SecureTransport": "true", // the endpoint stands for an HTTPS one
    "aws:ResourceAccount": parseArn(request.resource)?.account,
    ...callerValues(caller),
    ...(key ? keyValues(key, aliasesOf(key), primaryRegionOf(key)) : {}),
    ...request.conditions,
  };
  const context = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) context.set(name.toLowerCase(), typeof value === "string" ? [value] : value);
  }
  return context;
}
