/**
 * The key manager's one error class, and the single place where a KMS failure becomes words for an operator.
 *
 * Its codes have the names and the meaning of gRPC's, which are those of most APIs; gRPC itself is unknown here.
 */
import { isKmsError, type KmsError, type KmsErrorCode } from "./ports.ts";

export type KeyManagerErrorCode =
  | "INVALID_ARGUMENT"
  | "NOT_FOUND"
  | "FAILED_PRECONDITION"
  | "PERMISSION_DENIED"
  | "UNAUTHENTICATED"
  | "RESOURCE_EXHAUSTED"
  | "UNAVAILABLE"
  | "DEADLINE_EXCEEDED"
  | "CANCELLED"
  | "INTERNAL";

export class KeyManagerError extends Error {
  override readonly name = "KeyManagerError";
  readonly code: KeyManagerErrorCode;

  constructor(code: KeyManagerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const codeOf: Readonly<Record<KmsErrorCode, KeyManagerErrorCode>> = {
  // A key or alias that we know of and KMS does not is a broken state, not an unknown SPIRE key id.
  NOT_FOUND: "FAILED_PRECONDITION",
  ALREADY_EXISTS: "FAILED_PRECONDITION",
  DISABLED: "FAILED_PRECONDITION",
  INVALID_STATE: "FAILED_PRECONDITION",
  ACCESS_DENIED: "PERMISSION_DENIED",
  UNAUTHENTICATED: "UNAUTHENTICATED",
  THROTTLED: "RESOURCE_EXHAUSTED",
  LIMIT_EXCEEDED: "RESOURCE_EXHAUSTED",
  // SPIRE's request was checked before KMS was asked: what KMS refuses is our configuration's doing or our own fault.
  INVALID_REQUEST: "FAILED_PRECONDITION",
  UNAVAILABLE: "UNAVAILABLE",
  TIMEOUT: "DEADLINE_EXCEEDED",
  ABORTED: "CANCELLED",
};

const serviceOf = (operation: string): string =>
  /^(GetCallerIdentity|AssumeRole)/.test(operation)
    ? "sts"
    : operation === "GetResources"
      ? "tag"
      : operation === "GetRole"
        ? "iam"
        : "kms";

/** The permission that a call lacks: AWS names it, and it may be another one than the operation's own (kms:TagResource at CreateKey). */
export const permissionOf = ({ operation, message }: KmsError): string =>
  /not authorized to perform: ([a-z]+:[A-Za-z]+)/.exec(message)?.[1] ?? `${serviceOf(operation)}:${operation}`;

const adviceFor = (error: KmsError): string => {
  // No call: what is wrong with a source of credentials says itself what to do about it.
  if (error.operation === "credentials") return "";
  const permission = permissionOf(error);
  switch (error.code) {
    case "ACCESS_DENIED":
      if (permission.startsWith("sts:AssumeRole")) {
        return `; allow ${permission} in the role's trust policy and for this identity in its IAM policy, and check the external id`;
      }
      return permission.startsWith("tag:")
        ? `; allow ${permission} in an identity policy of the server's role: a key policy cannot grant it`
        : `; allow ${permission} for this identity in its IAM policy and, for a key, in the key's policy`;
    case "UNAUTHENTICATED":
      if (error.awsName.startsWith("Expired"))
        return "; the credentials have expired: renew the session token, or use a role, which renews itself";
      return "; check access_key_id and secret_access_key, or the credentials of the default chain, and this machine's clock";
    case "THROTTLED":
      // Refused by ourselves, before AWS was asked.
      if (error.awsName === "TooManyCallsUnderWay") return "; KMS is slow or throttles this account: try again later";
      return `; the account's ${permission} request quota is used up`;
    case "LIMIT_EXCEEDED":
      return "; an AWS KMS resource quota is reached";
    case "DISABLED":
      return "; enable the key again (aws kms enable-key) or generate a new one";
    case "INVALID_STATE":
      return /pending( replica)? deletion/i.test(error.message)
        ? "; cancel the deletion (aws kms cancel-key-deletion, then enable-key) while its waiting period lasts, or generate a new key"
        : "";
    case "UNAVAILABLE":
      return "; check the network, the endpoint and the region";
    case "INVALID_REQUEST":
      return error.awsName === "MalformedPolicyDocumentException"
        ? "; if the server's role has a path, the key policy must name it: allow iam:GetRole on the role, set assume_role_arn to its ARN, or set key_policy_file to a policy with the role's whole ARN as principal"
        : "";
    default:
      return "";
  }
};

/** Whether KMS refuses because the key is pending deletion. */
export const isPendingRefusal = (error: unknown): boolean =>
  isKmsError(error, "INVALID_STATE") && /pending/i.test(error.message);

/** What to write of a failure in a log line: AWS's name for it and its words, never a stack or a request. */
export function messageOf(error: unknown): string {
  if (isKmsError(error)) return [error.operation, error.awsName, error.message].filter(Boolean).join(": ");
  return error instanceof Error ? error.message : String(error);
}

/** Like {@link messageOf}, with what to do about it; for what keeps failing until an operator does something. */
export function explain(error: unknown): string {
  return messageOf(error) + (isKmsError(error) ? adviceFor(error) : "");
}

/**
 * Turns a failure into the domain's error, saying what was tried, what AWS answered and what to do about it.
 *
 * @param attempt what was being done, e.g. `failed to create key`
 */
export function keyManagerError(attempt: string, error: unknown): KeyManagerError {
  if (error instanceof KeyManagerError) return error;
  if (!isKmsError(error)) {
    return new KeyManagerError("INTERNAL", `${attempt}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const requestId = error.requestId === undefined ? "" : ` (request id ${error.requestId})`;
  return new KeyManagerError(codeOf[error.code], `${attempt}: ${messageOf(error)}${requestId}${adviceFor(error)}`, {
    cause: error,
  });
}
