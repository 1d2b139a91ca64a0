/** What the AWS SDK and the network throw, as the domain's KmsError. The one place that knows AWS's exception names. */
import { KmsError, type KmsErrorCode } from "../../key-manager/ports.ts";

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
  CredentialsProviderError: "UNAUTHENTICATED",
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
  TokenProviderError: "UNAUTHENTICATED",
  UnrecognizedClientException: "UNAUTHENTICATED",
  LimitExceededException: "LIMIT_EXCEEDED",
  RequestLimitExceeded: "THROTTLED",
  ThrottledException: "THROTTLED",
  Throttling: "THROTTLED",
  ThrottlingException: "THROTTLED",
  TooManyRequestsException: "THROTTLED",
  AbortError: "ABORTED",
  TimeoutError: "TIMEOUT",
};

/** Failures before anything was sent: the call certainly did not happen. */
const neverSent = new Set([
  "CredentialsProviderError",
  "EAI_AGAIN",
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "TokenProviderError",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

interface AwsFailure {
  /** AWS's exception name, or the system's error code. */
  readonly name: string;
  readonly message: string;
  readonly httpStatus: number | undefined;
  readonly requestId: string | undefined;
}

const property = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** A name as AWS gives it: one word. What stands between AWS and us may send anything in its place. */
const wordOf = (name: string): string => name.replace(/[^\w.:#-]/g, "").slice(0, 100) || "Error";

function read(error: unknown): AwsFailure {
  const metadata = property(error, "$metadata");
  const httpStatus = property(metadata, "httpStatusCode");
  const name = textOf(property(error, "name")) ?? "Error";
  const code = property(error, "$fault") === undefined ? textOf(property(error, "code")) : undefined;
  return {
    // A service's exception is known by its name, a socket's failure by its code.
    name: wordOf(code === undefined || code === "ETIMEDOUT" ? name : code),
    message: textOf(property(error, "message")) ?? "",
    httpStatus: typeof httpStatus === "number" ? httpStatus : undefined,
    requestId: textOf(property(metadata, "requestId"))
      ?.replace(/[^\w-]/g, "")
      .slice(0, 100),
  };
}

function codeOf({ name, httpStatus }: AwsFailure): KmsErrorCode {
  const known = Object.hasOwn(codeByName, name) ? codeByName[name] : undefined;
  if (known !== undefined) return known;
  if (httpStatus === 429) return "THROTTLED";
  if (httpStatus === 403) return "ACCESS_DENIED";
  // A failure with any other status, 200 included, is an answer that nobody could read.
  return httpStatus !== undefined && httpStatus >= 400 && httpStatus < 500 ? "INVALID_REQUEST" : "UNAVAILABLE";
}

const maxMessageCharacters = 600;

/** A web identity token (JWS compact form), which is as good as a password for the role it is meant for. */
const webIdentityToken = /\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;

/**
 * AWS's words without the canonical request that signature errors quote, which contains the session token, and without
 * web identity tokens.
 */
function safeMessage(message: string): string {
  const words = (message.split(/[\r\n]|The Canonical String/)[0] ?? "").trim().replace(webIdentityToken, "[withheld]");
  return words.length > maxMessageCharacters ? `${words.slice(0, maxMessageCharacters)}…` : words;
}

/** Whether the failed call may have happened all the same. */
function isOutcomeUnknown({ name, message, httpStatus }: AwsFailure): boolean {
  if (httpStatus !== undefined && httpStatus >= 400 && httpStatus < 500) return false;
  if (neverSent.has(name)) return false;
  // The HTTP handler's connect timeout has the same name as its response timeout, and so has the system's.
  return !(name === "TimeoutError" && /did not establish a connection|^connect ETIMEDOUT/.test(message));
}

/** Translates whatever an SDK call threw. */
export function kmsErrorFrom(operation: string, error: unknown): KmsError {
  if (error instanceof KmsError) return error;
  const failure = read(error);
  return new KmsError(safeMessage(failure.message), {
    code: codeOf(failure),
    operation,
    awsName: failure.name,
    requestId: failure.requestId,
    outcomeUnknown: isOutcomeUnknown(failure),
  });
}

const networkFailure = /^(MalformedResponse$|ECONN|EHOST|ENET|EPIPE|EAI_|ENOTFOUND|ETIMEDOUT|TimeoutError$)/;

/**
 * Translates a failure to get credentials. The call that they were for was certainly not made.
 *
 * @param operation `AssumeRole` or the like, `credentials` for what is not a call
 */
export function credentialsErrorFrom(operation: string, error: unknown): KmsError {
  if (error instanceof KmsError && !error.outcomeUnknown) return error;
  const { code, message, awsName, requestId } = kmsErrorFrom(operation, error);
  const { httpStatus } = read(error);
  // What is wrong with a file, a profile or a token is nobody's outage.
  const isOurs =
    code === "INVALID_REQUEST" || (code === "UNAVAILABLE" && httpStatus === undefined && !networkFailure.test(awsName));
  return new KmsError(message, {
    code: isOurs ? "UNAUTHENTICATED" : code,
    operation,
    awsName,
    requestId,
    outcomeUnknown: false,
  });
}

/** Whether the SDK has just learnt the server's time from this failure, so that the same call will now be signed right. */
export function isClockSkewCorrected(error: unknown): boolean {
  return property(property(error, "$metadata"), "clockSkewCorrected") === true;
}
