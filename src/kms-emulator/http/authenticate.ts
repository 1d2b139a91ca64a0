/** Who sends a request: its signature and access key against what exists. */
import type { Credential } from "../directory/directory.ts";
import type { Engine } from "../engine/engine.ts";
import { AwsException } from "../exceptions.ts";
import type { Service } from "../framework/operation.ts";
import { anonymous, type Identity } from "../identity.ts";
import { type CanonicalParts, isSignatureCorrect, type Signature, type SignedRequest, signingTimeMs } from "./sigv4.ts";

/** How far a signature's time may be from the service's. */
const maxSkewMs = 5 * 60 * 1000;

type Failure = "missing" | "incomplete" | "unknown" | "mismatch" | "expired";

/** What each protocol calls the failures (docs/aws-kms-behaviour.md, "Errors on the wire", "STS") [I]. */
const codes: Record<"json" | "query", Record<Failure, string>> = {
  json: {
    missing: "MissingAuthenticationTokenException",
    incomplete: "IncompleteSignatureException",
    unknown: "UnrecognizedClientException",
    mismatch: "InvalidSignatureException",
    expired: "ExpiredTokenException",
  },
  query: {
    missing: "MissingAuthenticationToken",
    incomplete: "IncompleteSignature",
    unknown: "InvalidClientTokenId",
    mismatch: "SignatureDoesNotMatch",
    expired: "ExpiredToken",
  },
};

const messages: Record<Failure, string> = {
  missing: "Missing Authentication Token",
  incomplete: "Authorization header requires 'Credential', 'Signature', 'SignedHeaders' and a date.",
  unknown: "The security token included in the request is invalid.",
  mismatch:
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.",
  expired: "The security token included in the request is expired",
};

const compact = (ms: number): string => new Date(ms).toISOString().replace(/[-:]|\.\d+/g, "");

/** Text if the signature is too old or too early. */
function skewMessage(signed: SignedRequest, nowMs: number): string | undefined {
  const atMs = signingTimeMs(signed.date);
  const validMs = signed.expiresSeconds === undefined ? maxSkewMs : signed.expiresSeconds * 1000;
  if (atMs > nowMs + maxSkewMs) {
    return `Signature not yet current: ${signed.date} is still later than ${compact(nowMs + maxSkewMs)} (${compact(nowMs)} + 5 min.)`;
  }
  if (atMs < nowMs - validMs) {
    return `Signature expired: ${signed.date} is now earlier than ${compact(nowMs - validMs)} (${compact(nowMs)} - ${validMs / 60_000} min.)`;
  }
  return undefined;
}

function mismatchMessage(
  parts: CanonicalParts,
  signed: SignedRequest,
  service: Service,
  secret: string,
  nowMs: number,
) {
  const skew = skewMessage(signed, nowMs);
  if (skew !== undefined) return skew;
  if (signed.scope.service !== service) return `Credential should be scoped to correct service: '${service}'.`;
  if (!signed.date.startsWith(signed.scope.date))
    return "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.";
  if (!signed.signedHeaders.split(";").includes("host"))
    return "'Host' must be a 'SignedHeader' in the AWS Authorization.";
  return isSignatureCorrect(parts, signed, secret) ? undefined : messages.mismatch;
}

export interface AuthenticationRules {
  readonly verifiesSignatures: boolean;
  /** Unknown access keys and unsigned calls are refused. */
  readonly isStrict: boolean;
}

const failed = (service: Service, failure: Failure, message = messages[failure]): AwsException =>
  new AwsException(codes[service === "sts" || service === "iam" ? "query" : "json"][failure], message);

/**
 * Who sends a request. Throws AwsException if the rules do not let it through.
 *
 * @param signed what `parts` carries for a signature
 */
export function authenticate(
  engine: Engine,
  rules: AuthenticationRules,
  parts: CanonicalParts,
  signed: Signature,
  operation: { readonly name: string; readonly service: Service },
  region: string,
): Identity {
  const { service, name } = operation;
  const isUnsigned = signed === "unsigned";
  if (isUnsigned && name === "AssumeRoleWithWebIdentity") return anonymous;
  const { isStrict, verifiesSignatures } = rules;
  if (isUnsigned || signed === "incomplete") {
    if (isStrict) throw failed(service, isUnsigned ? "missing" : "incomplete");
    return engine.directory.defaultIdentity(region);
  }
  const { accessKeyId } = signed.scope;
  const credential: Credential | undefined = engine.directory.credential(accessKeyId);
  if (!credential) {
    if (isStrict) throw failed(service, "unknown");
    return engine.directory.defaultIdentity(region, accessKeyId);
  }
  if (!verifiesSignatures) return credential.identity;
  if (credential.secretAccessKey === undefined)
    throw failed(service, "unknown", `No secret is configured for ${accessKeyId}.`);
  if (credential.sessionToken !== signed.securityToken) throw failed(service, "unknown");
  const nowMs = engine.clock.now();
  const mismatch = mismatchMessage(parts, signed, service, credential.secretAccessKey, nowMs);
  if (mismatch !== undefined) throw failed(service, "mismatch", mismatch);
  if (credential.expiresAtMs !== undefined && credential.expiresAtMs <= nowMs) throw failed(service, "expired");
  return credential.identity;
}
