/** Whether a grant lets a caller do what it asks for. */
import type { Identity } from "../identity.ts";
import type { GrantConstraints, GrantRecord } from "../state/records.ts";
import type { AccessRequest } from "./access-request.ts";
import { matchName, type PrincipalMatch } from "./principals.ts";

/** Grant operations that carry an encryption context, which a grant may then constrain. */
const withContext = new Set([
  "Decrypt",
  "Encrypt",
  "GenerateDataKey",
  "GenerateDataKeyWithoutPlaintext",
  "GenerateDataKeyPair",
  "GenerateDataKeyPairWithoutPlaintext",
  "ReEncryptFrom",
  "ReEncryptTo",
]);

type Pairs = Readonly<Record<string, string>>;

const includes = (context: Pairs, wanted: Pairs): boolean =>
  Object.entries(wanted).every(([name, value]) => Object.hasOwn(context, name) && context[name] === value);

const equals = (context: Pairs, wanted: Pairs): boolean =>
  includes(context, wanted) && Object.keys(context).length === Object.keys(wanted).length;

/** A SourceArn is for requests that a service makes for a resource: none is made here. */
function isWithin(constraints: GrantConstraints | undefined, operation: string, context: Pairs): boolean {
  if (constraints?.SourceArn !== undefined) return false;
  if (!constraints || !withContext.has(operation)) return true;
  const { EncryptionContextSubset, EncryptionContextEquals } = constraints;
  if (EncryptionContextSubset && !includes(context, EncryptionContextSubset)) return false;
  return !EncryptionContextEquals || equals(context, EncryptionContextEquals);
}

/** `kms:ReEncryptFrom` is the grant operation ReEncryptFrom. */
const operationOf = (action: string): string => action.slice(action.indexOf(":") + 1);

export interface GrantMatch {
  readonly grant: GrantRecord;
  /** `account`: the grantee is the whole account, which then has to let the caller. */
  readonly by: Exclude<PrincipalMatch, "none">;
}

/** The grants that cover the request. */
export function matchingGrants(
  grants: readonly GrantRecord[],
  caller: Identity,
  { action, encryptionContext = {} }: AccessRequest,
): GrantMatch[] {
  const operation = operationOf(action);
  return grants.flatMap((grant) => {
    if (grant.granteePrincipal === undefined || !grant.operations.includes(operation)) return [];
    const by = matchName(grant.granteePrincipal, caller);
    return by !== "none" && isWithin(grant.constraints, operation, encryptionContext) ? [{ grant, by }] : [];
  });
}
