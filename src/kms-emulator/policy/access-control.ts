/** Decides whether a caller may do what it asks for: key policy, IAM policies and session policies together. */
import { AwsException } from "../exceptions.ts";
import { parseArn } from "../identifiers.ts";
import type { Identity } from "../identity.ts";
import type { GrantRecord, KeyRecord } from "../state/records.ts";
import type { Store } from "../state/store.ts";
import { type AccessRequest, inProcess, type PolicyCheckRequest, type RequestOrigin } from "./access-request.ts";
import { conditionContext } from "./condition-context.ts";
import { storedPolicyOf } from "./default-key-policy.ts";
import { type PolicyDocument, parsePolicy } from "./document.ts";
import { judgeIdentityPolicies, judgeResourcePolicy, type PolicyQuestion, type Verdict } from "./evaluate.ts";
import { matchingGrants } from "./grants.ts";
import { readKeyPolicy, requirePrincipals } from "./key-policy-rules.ts";

export interface AccessControl {
  /** False: every permission is granted. */
  readonly isEvaluating: boolean;
  /**
   * Throws AccessDeniedException when evaluation is on and the caller lacks the permission. Returns the grant, if it is only
   * by a grant that the caller has it.
   */
  require(caller: Identity, region: string, request: AccessRequest): GrantRecord | undefined;
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

interface Refusal {
  readonly because: string;
  /** A policy forbids it: no grant helps. */
  readonly isDenied: boolean;
}

const denied = (because: string): Refusal => ({ because, isDenied: true });
const missing = (because: string): Refusal => ({ because, isDenied: false });

/** Why a request is refused, or undefined. The rules of KMS: the key policy comes first, and may delegate to IAM. */
function refusal(
  caller: Identity,
  request: AccessRequest,
  { identity, session, question }: Judgement,
  keyPolicy: PolicyDocument | undefined,
): Refusal | undefined {
  const { action } = request;
  if (identity === "deny") return denied("with an explicit deny in an identity-based policy");
  if (session === "deny") return denied("with an explicit deny in a session policy");
  const noIdentity =
    identity === "none" ? missing(`because no identity-based policy allows the ${action} action`) : undefined;
  // A session has no more than its session policies leave it, by whatever way.
  const noSession = session === "none" ? denied(`because no session policy allows the ${action} action`) : undefined;
  if (!keyPolicy) return noIdentity ?? noSession;
  const { verdict, by } = judgeResourcePolicy(keyPolicy, question, caller);
  const isForeign = request.key !== undefined && request.key.account !== caller.account;
  if (isForeign && verdict !== "allow") return { because: foreignReason, isDenied: verdict === "deny" };
  if (verdict === "deny") return denied("with an explicit deny in a resource-based policy");
  if (verdict === "none") return noSession ?? missing(`because no resource-based policy allows the ${action} action`);
  if (by === "direct" && !isForeign) return noSession;
  return noIdentity ?? noSession;
}

/** Access control by origin of the request. */
export type AccessControlSource = (origin: RequestOrigin) => AccessControl;

export function createAccessControl(options: AccessControlOptions): AccessControlSource {
  const { isEvaluating, maxPolicyBytes, store, clock } = options;
  const stateOf = (key: KeyRecord) => store.region(key.account, key.region);
  const aliasesOf = (key: KeyRecord) => stateOf(key).aliasesOfKey.get(key.keyId) ?? [];
  const primaryRegionOf = (key: KeyRecord) => store.multiRegionSet(key.account, key.keyId)?.primaryRegion;
  const grantsOf = (key: KeyRecord) =>
    (stateOf(key).grantsOfKey.get(key.keyId) ?? []).flatMap((id) => stateOf(key).grants.get(id) ?? []);

  /** What the caller's own policies say; without configured policies a caller may do anything. */
  function judge(caller: Identity, region: string, request: AccessRequest, origin: RequestOrigin): Judgement {
    const context = conditionContext(caller, region, clock(), request, aliasesOf, primaryRegionOf, origin);
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

  function checkKeyPolicy(caller: Identity, region: string, check: PolicyCheckRequest, origin: RequestOrigin): void {
    const { document, key } = check;
    if (Buffer.byteLength(document) > maxPolicyBytes) {
      throw new AwsException("LimitExceededException", `Key policy size limit exceeded: ${maxPolicyBytes} bytes`);
    }
    const policy = readKeyPolicy(document);
    requirePrincipals(policy, options.principalExists);
    if (check.bypassLockoutCheck) return;
    const request = { action: "kms:PutKeyPolicy", resource: check.keyArn, key };
    const isForeign = parseArn(check.keyArn)?.account !== caller.account;
    if (isForeign || refusal(caller, request, judge(caller, region, request, origin), policy) !== undefined) {
      throw new AwsException(
        "MalformedPolicyDocumentException",
        "The new key policy will not allow you to update the key policy in the future.",
      );
    }
  }

  function requireAccess(caller: Identity, region: string, request: AccessRequest, origin: RequestOrigin) {
    const { key } = request;
    const judgement = judge(caller, region, request, origin);
    const refused = refusal(caller, request, judgement, key && policyOf(storedPolicyOf(key)));
    if (refused === undefined) return undefined;
    const grants = key && !refused.isDenied ? matchingGrants(grantsOf(key), caller, request) : [];
    const match = grants.find(({ by }) => by === "direct" || judgement.identity === "allow");
    if (!match) throw accessDenied(caller, request, refused.because);
    return match.grant;
  }

  const controlOf: AccessControlSource = (origin) => ({
    isEvaluating,
    require: (caller, region, request) => (isEvaluating ? requireAccess(caller, region, request, origin) : undefined),
    checkKeyPolicy: (caller, region, check) => checkKeyPolicy(caller, region, check, origin),
  });
  if (isEvaluating) return controlOf;
  // Nothing is asked of the origin, so one does for all calls.
  const shared = controlOf(inProcess);
  return () => shared;
}
