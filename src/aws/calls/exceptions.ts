/** What the exceptions of KMS, STS, IAM and the tagging API mean, by their names. */
import type { KmsErrorCode } from "../../key-manager/ports.ts";

/** Modelled and common exceptions by name; the STS query protocol drops the suffix of some. */
const codeByName: Readonly<Record<string, KmsErrorCode>> = {
  NotFoundException: "NOT_FOUND",
  AlreadyExistsException: "ALREADY_EXISTS",
  DisabledException: "DISABLED",
  KMSInvalidStateException: "INVALID_STATE",
  KeyUnavailableException: "UNAVAILABLE",
  KMSInternalException: "UNAVAILABLE",
  DependencyTimeoutException: "UNAVAILABLE",
  InternalFailure: "UNAVAILABLE",
  InternalServiceException: "UNAVAILABLE",
  ServiceUnavailable: "UNAVAILABLE",
  ServiceUnavailableException: "UNAVAILABLE",
  AccessDenied: "ACCESS_DENIED",
  AccessDeniedException: "ACCESS_DENIED",
  NotAuthorizedException: "ACCESS_DENIED",
  OptInRequired: "ACCESS_DENIED",
  ExpiredToken: "UNAUTHENTICATED",
  ExpiredTokenException: "UNAUTHENTICATED",
  IncompleteSignature: "UNAUTHENTICATED",
  IncompleteSignatureException: "UNAUTHENTICATED",
  InvalidClientTokenId: "UNAUTHENTICATED",
  InvalidSignatureException: "UNAUTHENTICATED",
  MissingAuthenticationToken: "UNAUTHENTICATED",
  MissingAuthenticationTokenException: "UNAUTHENTICATED",
  RequestExpired: "UNAUTHENTICATED",
  RequestTimeTooSkewed: "UNAUTHENTICATED",
  SignatureDoesNotMatch: "UNAUTHENTICATED",
  UnrecognizedClientException: "UNAUTHENTICATED",
  LimitExceededException: "LIMIT_EXCEEDED",
  RequestLimitExceeded: "THROTTLED",
  ThrottledException: "THROTTLED",
  Throttling: "THROTTLED",
  ThrottlingException: "THROTTLED",
  TooManyRequestsException: "THROTTLED",
};

/** What the SDK calls an error answer that names no exception; with status 404 it is NotFound. */
const namesOfNone: readonly string[] = ["Error", "NotFound", "Unknown", "UnknownError"];

/** Whether AWS may have named an exception like this. */
export const isExceptionName = (name: unknown): name is string =>
  typeof name === "string" && /^[A-Za-z][\w.]{0,99}$/.test(name) && !namesOfNone.includes(name);

/** @param httpStatus that AWS answered with: with a server fault no name is a refusal */
export function codeOfException(name: string, httpStatus: number): KmsErrorCode {
  const known = Object.hasOwn(codeByName, name) ? codeByName[name] : undefined;
  if (httpStatus >= 500) return known === "THROTTLED" ? known : "UNAVAILABLE";
  if (known !== undefined) return known;
  if (httpStatus === 429) return "THROTTLED";
  return httpStatus === 403 ? "ACCESS_DENIED" : "INVALID_REQUEST";
}
