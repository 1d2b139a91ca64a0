/** Decides whether a caller may do what it asks for: key policy, IAM policies and session policies together. */
import { AwsException } from "../exceptions.ts";
import { parseArn } from "../identifiers.ts";
import type { Identity } from "../identity.ts";
import type { KeyRecord } from "../state/records.ts";
import type { Store } from "../state/store.ts";
import type { AccessRequest, PolicyCheckRequest } from "./access-request.ts";
import { conditionContext } from "./condition-context.ts";
import { storedPolicyOf } from "./default-key-policy.ts";
import { type PolicyDocument, parsePolicy } from "./document.ts";
import { judgeIdentityPolicies, judgeResourcePolicy, type PolicyQuestion, type Verdict } from "./evaluate.ts";
import { readKeyPolicy, requirePrincipals } from "./key-policy-rules.ts";

export interface AccessControl {
  /** Throws AccessDeniedException when evaluation is on and the caller lacks the permission. */
  require(caller: Identity, region: string, request: AccessRequest): void;
  /** Throws MalformedPolicyDocumentException or LimitExceededException. */
  checkKeyPolicy(caller: Identity, region: string, request: PolicyCheckRequest): void;
}

interface AccessControlOptions {
  /** False: every permission is granted; policies are only checked for being sound. */
  readonly isEvaluating: boolean;
  readonly maxPolicyBytes: number;
  readonly store: Store;
  readonly clock: () => number;
  /** Whether a user or role of this ARN or unique id exists. */
  readonly principalExists: (name: string) => boolean;
}

/** Parsed policies by text; a key's policy is asked for at every call. */
const parsed = new Map<string, PolicyDocument>();
const maxParsed = 2_000;

function policyOf(text: string): PolicyDocument {
  const known = parsed.get(text);
  if (known) return known;
  const policy = parsePolicy(text);
  if (parsed.size >= maxParsed) parsed.clear();
  parsed.set(text, policy);
  return policy;
}

/** AWS's wording; `because` names the kind of policy that is missing or that denies. */
function accessDenied(caller: Identity, { action, resource }: AccessRequest, because: string): AwsException {
  return new AwsException(
    "AccessDeniedException",
    `User: ${caller.arn} is not authorized to perform: ${action} on resource: ${resource} ${because}`,
  );
}

interface Judgement {
  readonly identity: Verdict;
  readonly session: Verdict;
  readonly question: PolicyQuestion;
}

const foreignReason =
  "because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access";

/** Why a request is refused, or undefined. The rules of KMS: the key policy comes first, and may delegate to IAM. */
function refusal(
  caller: Identity,
  request: AccessRequest,
  { identity, session, question }: Judgement,
  keyPolicy: PolicyDocument | undefined,
): string | undefined {
  const { action } = request;
  if (identity === "deny") return "with an explicit deny in an identity-based policy";
  if (session === "deny") return "with an explicit deny in a session policy";
  const noIdentity = identity === "none" ? `because no identity-based policy allows the ${action} action` : undefined;
  const noSession = session === "none" ? `because no session policy allows the ${action} action` : undefined;
  if (!keyPolicy) return noIdentity ?? noSession;
  const { verdict, by } = judgeResourcePolicy(keyPolicy, question, caller);
  const isForeign = request.key !== undefined && request.key.account !== caller.account;
  if (isForeign && verdict !== "allow") return foreignReason;
  if (verdict === "deny") return "with an explicit deny in a resource-based policy";
  if (verdict === "none") return `because no resource-based policy allows the ${action} action`;
  if (by === "direct" && !isForeign) return noSession;
  return noIdentity ?? noSession;
}

export function createAccessControl(options: AccessControlOptions): AccessControl {
  const { isEvaluating, maxPolicyBytes, store, clock } = options;
  const aliasesOf = (key: KeyRecord) => store.region(key.account, key.region).aliasesOfKey.get(key.keyId) ?? [];
  const primaryRegionOf = (key: KeyRecord) => store.multiRegionSet(key.account, key.keyId)?.primaryRegion;

  /** What the caller's own policies say; without configured policies a caller may do anything. */
  function judge(caller: Identity, region: string, request: AccessRequest): Judgement {
    const context = conditionContext(caller, region, clock(), request, aliasesOf, primaryRegionOf);
    const question = { action: request.action, resource: request.resource, context };
    const verdictOf = (texts: readonly string[] | undefined): Verdict =>
      isEvaluating && texts ? judgeIdentityPolicies(texts.map(policyOf), question) : "allow";
    const { sessionPolicies } = caller;
    return {
      question,
      identity: verdictOf(caller.policies),
      session: verdictOf(sessionPolicies.length === 0 ? undefined : sessionPolicies),
    };
  }

  return {
    require(caller, region, request) {
      if (!isEvaluating) return;
      const keyPolicy = request.key && policyOf(storedPolicyOf(request.key));
      const because = refusal(caller, request, judge(caller, region, request), keyPolicy);
      if (because !== undefined) throw accessDenied(caller, request, because);
    },
    checkKeyPolicy(caller: Identity, region: string, check: PolicyCheckRequest) {
      if (Buffer.byteLength(check.document) > maxPolicyBytes) {
        throw new AwsException("LimitExceededException", `Key policy size limit exceeded: ${maxPolicyBytes} bytes`);
      }
      const policy = readKeyPolicy(check.document);
      requirePrincipals(policy, options.principalExists);
      if (check.bypassLockoutCheck) return;
      const request = { action: "kms:PutKeyPolicy", resource: check.keyArn, key: check.key };
      const isForeign = parseArn(check.keyArn)?.account !== caller.account;
      if (isForeign || refusal(caller, request, judge(caller, region, request), policy) !== undefined) {
        throw new AwsException(
          "MalformedPolicyDocumentException",
          "The new key policy will not allow you to update the key policy in the future.",
        );
      }
    },
  };
}
