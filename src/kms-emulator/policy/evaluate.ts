/** What policies say about one action on one resource. */
import type { Identity } from "../identity.ts";
import { type ConditionContext, conditionsHold, substitute } from "./conditions.ts";
import type { PolicyDocument, Statement } from "./document.ts";
import { globMatches, globMatchesIgnoreCase } from "./glob.ts";
import { matchPrincipal, type PrincipalMatch } from "./principals.ts";

/** A question to policies. */
export interface PolicyQuestion {
  readonly action: string;
  readonly resource: string;
  readonly context: ConditionContext;
}

function appliesTo(statement: Statement, { action, resource, context }: PolicyQuestion): boolean {
  if (statement.actions.length === 0 || statement.resources.length === 0) return false;
  if (statement.actions.some((pattern) => globMatchesIgnoreCase(pattern, action)) === statement.isNotAction)
    return false;
  const isOnResource = statement.resources.some((pattern) => {
    const filled = substitute(pattern, context);
    return filled !== undefined && globMatches(filled, resource);
  });
  return isOnResource !== statement.isNotResource && conditionsHold(statement.conditions, context);
}

/** Allow, an explicit deny, or neither. */
export type Verdict = "allow" | "deny" | "none";

/** What identity-based policies say; principals play no part. */
export function judgeIdentityPolicies(policies: readonly PolicyDocument[], question: PolicyQuestion): Verdict {
  const applying = policies.flatMap((policy) => policy.statements).filter((s) => appliesTo(s, question));
  if (applying.some((statement) => statement.effect === "Deny")) return "deny";
  return applying.length > 0 ? "allow" : "none";
}

/** What a resource's policy says about a caller, and whether its Allow names the caller or only the account. */
export function judgeResourcePolicy(
  policy: PolicyDocument,
  question: PolicyQuestion,
  caller: Identity,
): { verdict: Verdict; by: PrincipalMatch } {
  const applying = policy.statements
    .filter((statement) => appliesTo(statement, question))
    .map((statement) => ({ statement, by: matchPrincipal(statement, caller) }))
    .filter(({ by }) => by !== "none");
  if (applying.some(({ statement }) => statement.effect === "Deny")) return { verdict: "deny", by: "direct" };
  if (applying.length === 0) return { verdict: "none", by: "none" };
  return { verdict: "allow", by: applying.some(({ by }) => by === "direct") ? "direct" : "account" };
}
