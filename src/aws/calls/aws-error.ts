/**
 * What the AWS SDK and the network throw, as the domain's KmsError. The one place that knows AWS's exception names.
 *
 * Only an exception that AWS has answered with, by name and with an HTTP status that fits, says that a call was refused. All
 * else that the SDK throws has an unknown outcome: it comes of an answer that the SDK could not read, or of a fault in it.
 */
import { KmsError, type KmsErrorCode } from "../../key-manager/ports.ts";
import { codeOfException, isExceptionName } from "./exceptions.ts";

/** Failures before anything was sent: the call certainly did not happen. */
const neverSent = new Set([
  "CredentialsProviderError",
  "EAI_AGAIN",
  "ECONN_PROXY",
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

/** Names that the SDK gives to failures of its own, before an answer or instead of one. */
const codeByOwnName: Readonly<Record<string, KmsErrorCode>> = {
  AbortError: "ABORTED",
  AnswerTooLarge: "UNAVAILABLE",
  CredentialsProviderError: "UNAUTHENTICATED",
  TimeoutError: "TIMEOUT",
  TokenProviderError: "UNAUTHENTICATED",
};

/** A fault in reading or in a program. Its text is for those who correct that program. */
const programFault = /^(Eval|Range|Reference|Syntax|Type|URI)Error$/;

/**
 * `exception`: AWS has answered with it. `obstacle`: the SDK or the system says what came between. `answer`: what came is no
 * answer of AWS's. `fault`: anything else.
 */
type Kind = "exception" | "obstacle" | "answer" | "fault";

interface AwsFailure {
  readonly kind: Kind;
  /** AWS's exception name, or the system's error code. */
  readonly name: string;
  readonly message: string;
  readonly isProgramFault: boolean;
  /** 0 where nothing was answered. */
  readonly httpStatus: number;
  readonly requestId: string | undefined;
}

const property = (value: unknown, key: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);

/** A name as AWS gives it: one word. What stands between AWS and us may send anything in its place. */
const wordOf = (name: string): string => name.replace(/[^\w.:#-]/g, "").slice(0, 100) || "Error";

function kindOf(error: unknown, name: string, httpStatus: number): Kind {
  const isService = property(error, "$fault") !== undefined;
  if (isService && httpStatus >= 400 && httpStatus < 600 && isExceptionName(name)) return "exception";
  const hasCode = textOf(property(error, "code")) !== undefined && !programFault.test(name);
  // An answer may break off: then there is a status too.
  if (!isService && (hasCode || Object.hasOwn(codeByOwnName, name))) return "obstacle";
  return httpStatus > 0 ? "answer" : "fault";
}

/** A service's exception is known by its name, a socket's failure by its code. */
function nameOf(error: unknown, name: string, kind: Kind): string {
  if (property(error, "$fault") !== undefined) return name;
  if (kind === "answer") return "MalformedResponse";
  const code = textOf(property(error, "code"));
  if (code !== undefined && code !== "ETIMEDOUT") return code;
  return programFault.test(name) ? "SdkError" : name;
}

function read(error: unknown): AwsFailure {
  const metadata = property(error, "$metadata");
  const status = property(metadata, "httpStatusCode");
  const httpStatus = typeof status === "number" ? status : 0;
  const name = textOf(property(error, "name")) ?? "Error";
  const kind = kindOf(error, name, httpStatus);
  return {
    kind,
    name: wordOf(nameOf(error, name, kind)),
    message: textOf(property(error, "message")) ?? "",
    isProgramFault: kind === "fault" && programFault.test(name),
    httpStatus,
    requestId: textOf(property(metadata, "requestId"))
      ?.replace(/[^\w-]/g, "")
      .slice(0, 100),
  };
}

function codeOf({ kind, name, httpStatus }: AwsFailure): KmsErrorCode {
  if (kind === "exception") return codeOfException(name, httpStatus);
  if (kind === "obstacle")
    return (Object.hasOwn(codeByOwnName, name) ? codeByOwnName[name] : undefined) ?? "UNAVAILABLE";
  // The one status in which whatever stands between AWS and us may be believed.
  return httpStatus === 429 ? "THROTTLED" : "UNAVAILABLE";
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

/** AWS's words, or those for what came between; our own for the rest. */
function wordsFor({ kind, isProgramFault, message, httpStatus }: AwsFailure): string {
  if (kind === "answer") return `HTTP ${httpStatus}, but not an answer of AWS's`;
  return isProgramFault ? "the call failed in the AWS SDK" : safeMessage(message);
}

/** Whether the failed call may have happened all the same. */
function isOutcomeUnknown({ kind, name, message, httpStatus }: AwsFailure): boolean {
  if (kind === "exception") return httpStatus >= 500;
  if (kind === "answer") return true;
  if (neverSent.has(name)) return false;
  // The HTTP handler's connect timeout has the same name as its response timeout, and so has the system's.
  return !(name === "TimeoutError" && /did not establish a connection|^connect ETIMEDOUT/.test(message));
}

/** Translates whatever an SDK call threw. */
export function kmsErrorFrom(operation: string, error: unknown): KmsError {
  if (error instanceof KmsError) return error;
  const failure = read(error);
  return new KmsError(wordsFor(failure), {
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
  // What is wrong with a file, a profile or a token is no outage.
  const isOurs =
    code === "INVALID_REQUEST" || (code === "UNAVAILABLE" && httpStatus === 0 && !networkFailure.test(awsName));
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
