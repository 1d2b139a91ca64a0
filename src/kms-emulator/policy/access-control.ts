import type { AccessControl, Limits, PolicyCheckRequest } from "../context.ts";
import { AwsException } from "../exceptions.ts";
import type { Identity } from "../identity.ts";
import { type PolicyDocument, PolicySyntaxError, parsePolicy, type Statement } from "./document.ts";

/** Message when a policy is no policy; the exact texts of AWS are not known [I]. */
function readKeyPolicy(text: string): PolicyDocument {
  let policy: PolicyDocument;
  try {
    policy = parsePolicy(text);
  } catch (error) {
    if (!(error instanceof PolicySyntaxError)) throw error;
    throw new AwsException("MalformedPolicyDocumentException", error.message, { cause: error });
  }
  if (policy.statements.some((statement) => statement.principals === undefined)) {
    throw new AwsException("MalformedPolicyDocumentException", "Policy statement must have a principal.");
  }
  return policy;
}

const covers = (statement: Statement, action: string): boolean =>
  statement.actions.some((pattern) => {
    const expression = pattern
      .replace(/[.+^${}()|[\]\\]/g, "\\$&")
      .replace(/\*/g, ".*")
      .replace(/\?/g, ".");
    return new RegExp(`^${expression}$`, "is").test(action);
  }) !== statement.isNotAction;

function names(statement: Statement, caller: Identity): boolean {
  const { principals } = statement;
  if (principals === undefined) return false;
  const accepted = [caller.arn, caller.principalArn, caller.account, `:iam::${caller.account}:root`, "*"];
  const listed = principals === "*" ? ["*"] : (principals.AWS ?? []);
  const isNamed = listed.some((name) => accepted.includes(name) || name.endsWith(`:iam::${caller.account}:root`));
  return isNamed !== statement.isNotPrincipal;
}

const canUpdatePolicy = (policy: PolicyDocument, caller: Identity): boolean =>
  policy.statements.some(
    (statement) =>
      statement.effect === "Allow" &&
      statement.resources.length > 0 &&
      covers(statement, "kms:PutKeyPolicy") &&
      names(statement, caller),
  );

export function createAccessControl(limits: Limits): AccessControl {
  return {
    require() {},
    checkKeyPolicy(caller: Identity, _region: string, request: PolicyCheckRequest) {
      if (Buffer.byteLength(request.document) > limits.policyBytes) {
        throw new AwsException("LimitExceededException", `Key policy size limit exceeded: ${limits.policyBytes} bytes`);
      }
      const policy = readKeyPolicy(request.document);
      if (!request.bypassLockoutCheck && !canUpdatePolicy(policy, caller)) {
        throw new AwsException(
          "MalformedPolicyDocumentException",
          "The new key policy will not allow you to update the key policy in the future.",
        );
      }
    },
  };
}
