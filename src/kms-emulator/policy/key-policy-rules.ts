/** What KMS asks of a key policy beyond its syntax. */
import { AwsException } from "../exceptions.ts";
import { type PolicyDocument, PolicySyntaxError, parsePolicy } from "./document.ts";
import { isPrincipalShaped } from "./principals.ts";

/** Reads a key policy, or says why it is none. AWS's exact texts are not known [I]. */
export function readKeyPolicy(text: string): PolicyDocument {
  let policy: PolicyDocument;
  try {
    policy = parsePolicy(text);
  } catch (error) {
    if (!(error instanceof PolicySyntaxError)) throw error;
    throw new AwsException("MalformedPolicyDocumentException", error.message, { cause: error });
  }
  if (policy.statements.some((statement) => statement.principals === undefined)) {
    throw new AwsException(
      "MalformedPolicyDocumentException",
      "Every statement of a key policy must have a principal.",
    );
  }
  requireNoForAllOfOne(policy);
  return policy;
}

/** What a key policy must not do to a single-valued key (docs/aws-kms-behaviour.md, "Key policies"). */
const overlyPermissive =
  "OverlyPermissiveCondition: Using the ForAllValues set operator with a single-valued condition key matches requests without the specified [encryption context or tag] or with an unspecified [encryption context or tag]. To fix, remove ForAllValues.";

function requireNoForAllOfOne(policy: PolicyDocument): void {
  for (const { conditions } of policy.statements) {
    for (const [operator, block] of Object.entries(conditions)) {
      if (!operator.startsWith("ForAllValues:")) continue;
      if (!Object.keys(block).some((key) => /^(?:kms:EncryptionContext:|aws:RequestTag\/)/i.test(key))) continue;
      throw new AwsException("MalformedPolicyDocumentException", overlyPermissive);
    }
  }
}

/** Every AWS principal must have the form of one, and exist. */
export function requirePrincipals(policy: PolicyDocument, exists: (name: string) => boolean): void {
  for (const { principals } of policy.statements) {
    if (principals === undefined || principals === "*") continue;
    if ((principals.AWS ?? []).every((name) => isPrincipalShaped(name) && exists(name))) continue;
    throw new AwsException(
      "MalformedPolicyDocumentException",
      "Policy contains a statement with one or more invalid principals.",
    );
  }
}
