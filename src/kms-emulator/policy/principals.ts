/** Whom the Principal of a statement names. */
import type { Identity } from "../identity.ts";
import type { Statement } from "./document.ts";

/**
 * How a statement names a caller: itself (its user, role or session), only by its account, or not at all. Naming the
 * account in an Allow delegates to that account's IAM policies.
 */
export type PrincipalMatch = "direct" | "account" | "none";

export function matchName(name: string, caller: Identity): PrincipalMatch {
  if (name === "*") return "direct";
  const isAccount = name === caller.account || new RegExp(`^arn:[^:]+:iam::${caller.account}:root$`).test(name);
  if (isAccount) return caller.kind === "root" ? "direct" : "account";
  const uniqueId = caller.userId.split(":")[0];
  const isCaller = [caller.arn, caller.principalArn, caller.userId, uniqueId].includes(name);
  return isCaller ? "direct" : "none";
}

/** For AWS callers; a federated web identity is matched by `Federated` names in {@link matchFederated}. */
export function matchPrincipal(statement: Statement, caller: Identity): PrincipalMatch {
  const { principals } = statement;
  if (principals === undefined) return "none";
  const names = principals === "*" ? ["*"] : (principals.AWS ?? []);
  const matches = names.map((name) => matchName(name, caller));
  const best = matches.includes("direct") ? "direct" : matches.includes("account") ? "account" : "none";
  if (!statement.isNotPrincipal) return best;
  return best === "none" ? "direct" : "none"; // a listed account exempts all of its principals [I]
}

export function matchFederated(statement: Statement, provider: string): boolean {
  const { principals } = statement;
  if (principals === undefined || statement.isNotPrincipal) return false;
  return principals === "*" || (principals.Federated ?? []).some((name) => name === "*" || name === provider);
}

const arnForms = [
  /^arn:[^:]+:iam::\d{12}:(?:root|(?:user|role)\/[\w+=,.@/-]+)$/,
  /^arn:[^:]+:sts::\d{12}:(?:assumed-role\/[\w+=,.@-]+\/[\w+=,.@-]+|federated-user\/[\w+=,.@-]+)$/,
];

export const isPrincipalShaped = (name: string): boolean =>
  name === "*" ||
  /^\d{12}$/.test(name) ||
  /^A[A-Z]{3}[A-Z0-9]{12,}$/.test(name) ||
  arnForms.some((form) => form.test(name));
