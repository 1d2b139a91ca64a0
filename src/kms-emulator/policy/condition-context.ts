/** The values of the condition keys that a request is judged by. */
import { parseArn } from "../identifiers.ts";
import type { Identity } from "../identity.ts";
import type { KeyRecord } from "../state/records.ts";
import type { AccessRequest, RequestOrigin } from "./access-request.ts";
import type { ConditionContext } from "./conditions.ts";

export type Values = Readonly<Record<string, string | readonly string[] | undefined>>;

const principalTypes = {
  root: "Account",
  user: "User",
  "assumed-role": "AssumedRole",
  "federated-user": "FederatedUser",
} as const;

/** Credentials that STS has handed out say whether a second factor was given; none ever is here. */
function callerValues(caller: Identity): Values {
  const isTemporary = caller.kind === "assumed-role" || caller.kind === "federated-user";
  const tags = Object.fromEntries(caller.tags.map((tag) => [`aws:PrincipalTag/${tag.key}`, tag.value]));
  return {
    "aws:PrincipalArn": caller.principalArn,
    "aws:PrincipalAccount": caller.account,
    "aws:PrincipalType": principalTypes[caller.kind],
    "aws:userid": caller.userId,
    "aws:username": caller.kind === "user" ? caller.arn.slice(caller.arn.lastIndexOf("/") + 1) : undefined,
    "kms:CallerAccount": caller.account,
    "aws:MultiFactorAuthPresent": isTemporary ? "false" : undefined,
    ...tags,
  };
}

/** Under their names of before 2021, too. */
export const specValues = (spec: string, usage: string): Values => ({
  "kms:KeySpec": spec,
  "kms:KeyUsage": usage,
  "kms:CustomerMasterKeySpec": spec,
  "kms:CustomerMasterKeyUsage": usage,
});

function encryptionContextValues(context: Readonly<Record<string, string>> | undefined): Values {
  const entries = Object.entries(context ?? {});
  if (entries.length === 0) return {};
  const values = Object.fromEntries(entries.map(([name, value]) => [`kms:EncryptionContext:${name}`, value]));
  return { ...values, "kms:EncryptionContextKeys": entries.map(([name]) => name) };
}

/**
 * What every request carries, also one that no AWS service makes on a caller's behalf, as none does here. The endpoint
 * stands for an HTTPS one.
 */
const requestValues = ({ sourceIp, userAgent }: RequestOrigin): Values => ({
  "aws:SecureTransport": "true",
  "aws:ViaAWSService": "false",
  "aws:PrincipalIsAWSService": "false",
  "aws:SourceIp": sourceIp,
  "aws:UserAgent": userAgent,
});

function keyValues(key: KeyRecord, aliases: readonly string[], primaryRegion: string | undefined): Values {
  const tags = Object.fromEntries(key.tags.map((tag) => [`aws:ResourceTag/${tag.key}`, tag.value]));
  return {
    "aws:ResourceAccount": key.account,
    ...specValues(key.spec, key.usage),
    "kms:KeyOrigin": key.origin ?? "AWS_KMS",
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
  origin: RequestOrigin,
): ConditionContext {
  const { key } = request;
  const values: Values = {
    "aws:RequestedRegion": region,
    "aws:CurrentTime": new Date(nowMs).toISOString(),
    "aws:EpochTime": String(Math.floor(nowMs / 1000)),
    ...requestValues(origin),
    "aws:ResourceAccount": parseArn(request.resource)?.account,
    ...callerValues(caller),
    ...(key ? keyValues(key, aliasesOf(key), primaryRegionOf(key)) : {}),
    ...encryptionContextValues(request.encryptionContext),
    ...request.conditions,
  };
  const context = new Map<string, readonly string[]>();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) context.set(name.toLowerCase(), typeof value === "string" ? [value] : value);
  }
  return context;
}
