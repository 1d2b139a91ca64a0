/** Who a call is made by: users, roots and sessions, read from their ARNs. */
import { EmulatorError } from "./errors.ts";
import { parseArn } from "./identifiers.ts";
import type { Tag } from "./state/records.ts";

/** Who a call is made by, as IAM sees it. */
export interface Identity {
  readonly kind: "root" | "user" | "assumed-role" | "federated-user";
  readonly account: string;
  readonly arn: string;
  readonly userId: string;
  /** What a policy names as Principal: the role behind an assumed role, otherwise the same as `arn`. */
  readonly principalArn: string;
  readonly accessKeyId: string | undefined;
  /** IAM policies of the user or role, as JSON text. Undefined = not configured: everything is allowed. */
  readonly policies: readonly string[] | undefined;
  /** Policies passed to AssumeRole; they can only take away. */
  readonly sessionPolicies: readonly string[];
  readonly tags: readonly Tag[];
}

/** The caller of an unsigned request, as AssumeRoleWithWebIdentity's is. */
export const anonymous: Identity = {
  kind: "federated-user",
  account: "",
  arn: "anonymous",
  userId: "anonymous",
  principalArn: "anonymous",
  accessKeyId: undefined,
  policies: [],
  sessionPolicies: [],
  tags: [],
};

/** The part of an identity that a journal and a fault's `match` show. */
export interface Caller {
  readonly arn: string;
  readonly account: string;
  readonly userId: string;
  readonly accessKeyId: string | undefined;
}

const callers = new WeakMap<Identity, Caller>();

/** The same object for the same identity: a journal has a caller in every record. */
export function callerOf(identity: Identity): Caller {
  const known = callers.get(identity);
  if (known !== undefined) return known;
  const { arn, account, userId, accessKeyId } = identity;
  const caller = { arn, account, userId, accessKeyId };
  callers.set(identity, caller);
  return caller;
}

/** A stable id of AWS's form: `prefix` (AROA, AIDA) and 17 letters derived from the ARN. */
export function uniqueId(prefix: "AROA" | "AIDA", arn: string): string {
  let state = 0x811c9dc5;
  let id = prefix as string;
  for (let letter = 0; letter < 17; letter += 1) {
    for (const character of `${letter}${arn}`) state = Math.imul(state ^ character.charCodeAt(0), 0x01000193) >>> 0;
    id += "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".charAt(state >>> 27);
  }
  return id;
}

/** The role that a session ARN belongs to. A path cannot be told from the session ARN, as on AWS. */
function roleArnOf(sessionArn: string): string | undefined {
  const arn = parseArn(sessionArn);
  const [kind, role, session] = arn?.resource.split("/") ?? [];
  if (arn?.service !== "sts" || kind !== "assumed-role" || !role || !session) return undefined;
  return `arn:${arn.partition}:iam::${arn.account}:role/${role}`;
}

function kindOf(service: string, resource: string): Identity["kind"] | undefined {
  if (service === "iam" && resource === "root") return "root";
  if (service === "iam" && resource.startsWith("user/")) return "user";
  if (service === "sts" && /^assumed-role\/[^/]+\/[^/]+$/.test(resource)) return "assumed-role";
  if (service === "sts" && resource.startsWith("federated-user/")) return "federated-user";
  return undefined;
}

interface IdentityParts {
  readonly accessKeyId?: string | undefined;
  readonly userId?: string | undefined;
  /** With its path, for an assumed role whose role has one. */
  readonly roleArn?: string | undefined;
  readonly policies?: readonly string[] | undefined;
  readonly sessionPolicies?: readonly string[] | undefined;
  readonly tags?: readonly Tag[] | undefined;
}

function userIdOf(kind: Identity["kind"], account: string, arn: string, principalArn: string): string {
  const name = arn.slice(arn.lastIndexOf("/") + 1);
  if (kind === "root") return account;
  if (kind === "assumed-role") return `${uniqueId("AROA", principalArn)}:${name}`;
  if (kind === "federated-user") return `${account}:${name}`;
  return uniqueId("AIDA", arn);
}

/** Throws EmulatorError INVALID_OPTION if `arn` names no user, root, assumed role or federated user. */
export function identityFromArn(arn: string, parts: IdentityParts = {}): Identity {
  const parsed = parseArn(arn);
  const kind = parsed && kindOf(parsed.service, parsed.resource);
  if (!parsed || !kind || !/^\d{12}$/.test(parsed.account)) {
    throw new EmulatorError("INVALID_OPTION", `${arn} is not the ARN of a user, root or an assumed role`);
  }
  const principalArn = parts.roleArn ?? roleArnOf(arn) ?? arn;
  return {
    kind,
    account: parsed.account,
    arn,
    userId: parts.userId ?? userIdOf(kind, parsed.account, arn, principalArn),
    principalArn,
    accessKeyId: parts.accessKeyId,
    policies: kind === "root" ? undefined : parts.policies,
    sessionPolicies: parts.sessionPolicies ?? [],
    tags: parts.tags ?? [],
  };
}
