/** Whether a key policy can lock everyone out of a key: KMS has no other way in, not even for the account's root user. */
import { readFileSync } from "node:fs";
import { explain } from "../../key-manager/errors.ts";
import type { KeyRow } from "../../key-manager/inventory/key-row.ts";
import { isKmsError } from "../../key-manager/ports.ts";
import type { CommandClients } from "../aws-clients.ts";
import type { CommandConfiguration } from "../configuration/configuration.ts";
import type { Findings } from "./finding.ts";

const maxKeysAsked = 5;

const asList = (value: unknown): readonly string[] =>
  typeof value === "string" ? [value] : Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
const member = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

/** Principals that may change the policy, by what is allowed and under no condition. */
function administratorsOf(policy: string): readonly string[] {
  const statement = member(JSON.parse(policy), "Statement");
  const statements: readonly unknown[] = Array.isArray(statement) ? statement : [statement];
  return statements.flatMap((entry) => {
    const actions = asList(member(entry, "Action"));
    const mayPut = actions.some((action) => /^(kms:)?(\*|Put\*|PutKey\*|PutKeyPolicy)$/i.test(action));
    if (member(entry, "Effect") !== "Allow" || !mayPut || member(entry, "Condition") !== undefined) return [];
    const principal = member(entry, "Principal");
    return principal === "*" ? ["*"] : asList(member(principal, "AWS"));
  });
}

const isAccount = (principal: string): boolean =>
  principal === "*" || /^\d{12}$/.test(principal) || principal.endsWith(":root");
/** What is left of a principal that was deleted. */
const isGhost = (principal: string): boolean => /^A[A-Z]{3}[A-Z0-9]{12,}$/.test(principal);

function judge(administrators: readonly string[], what: string, findings: Findings): void {
  const alive = administrators.filter((principal) => !isGhost(principal));
  const remedy =
    "spire-aws-kms policy key prints a policy for key_policy_file by which the account can administer keys and not sign; existing keys keep theirs until they are rotated, or PutKeyPolicy";
  if (alive.length === 0)
    findings.warning(
      `no one can change the policy of ${what} any more: whoever could was deleted`,
      "only AWS Support can help; let SPIRE rotate the key",
    );
  else if (alive.some(isAccount)) findings.ok(`the account can change the policy of ${what}`);
  else
    findings.warning(
      `only ${alive.join(", ")} can change the policy of ${what}: should that be deleted, no one can, not even the account's root user`,
      remedy,
    );
}

export async function checkKeyPolicies(
  configuration: CommandConfiguration,
  { operator }: CommandClients,
  own: readonly KeyRow[],
  findings: Findings,
): Promise<void> {
  if (configuration.plugin === "aws_kms" && configuration.config.keyPolicyFile !== undefined) {
    const { keyPolicyFile } = configuration.config;
    try {
      judge(administratorsOf(readFileSync(keyPolicyFile, "utf8")), `new keys (${keyPolicyFile})`, findings);
    } catch {
      // Told with the files already.
    }
  }
  const policies = new Map<string, string[]>();
  for (const { arn } of own.slice(0, maxKeysAsked)) {
    if (arn === undefined) continue;
    try {
      const administrators = JSON.stringify(administratorsOf(await operator.getKeyPolicy(arn)));
      policies.set(administrators, [...(policies.get(administrators) ?? []), arn]);
    } catch (error) {
      if (!isKmsError(error) && !(error instanceof SyntaxError)) throw error;
      findings.unknown(
        `whether the key policy of this server's keys can lock everyone out cannot be told: ${explain(error)}`,
        "allow kms:GetKeyPolicy to who runs doctor; the server itself does not need it",
        { permission: "kms:GetKeyPolicy" },
      );
      return;
    }
  }
  for (const [administrators, arns] of policies) {
    judge(
      JSON.parse(administrators),
      arns.length === 1 ? `key ${arns[0]}` : `${arns.length} keys of this server`,
      findings,
    );
  }
}
