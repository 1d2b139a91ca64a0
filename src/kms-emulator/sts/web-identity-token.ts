/** Reads the token of AssumeRoleWithWebIdentity and verifies it. */
import { constants, createPublicKey, type JsonWebKey, verify } from "node:crypto";
import type { OidcProviderConfig } from "../directory/config.ts";
import { AwsException } from "../exceptions.ts";

/** Claims of a token that STS looks at. */
export interface WebIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
}

type Json = Readonly<Record<string, unknown>>;

const invalidToken = (message: string): AwsException => new AwsException("InvalidIdentityToken", message);

function decodePart(part: string): Json {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(part, "base64url").toString());
  } catch (cause) {
    throw new AwsException("InvalidIdentityToken", "The ID Token provided is not a valid JWT.", { cause });
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Json;
  throw invalidToken("The ID Token provided is not a valid JWT.");
}

/** JWS algorithms that STS accepts; ECDSA signatures in JWS are r and s side by side. */
const hashOf: Readonly<Record<string, string>> = {
  RS256: "sha256",
  RS384: "sha384",
  RS512: "sha512",
  ES256: "sha256",
  ES384: "sha384",
  ES512: "sha512",
};

function isSignedBy(key: object, algorithm: string, signed: Buffer, signature: Buffer): boolean {
  try {
    const publicKey = createPublicKey({ key: key as JsonWebKey, format: "jwk" });
    const kind = publicKey.asymmetricKeyType;
    if (kind !== (algorithm.startsWith("RS") ? "rsa" : "ec")) return false;
    const options =
      kind === "rsa"
        ? { key: publicKey, padding: constants.RSA_PKCS1_PADDING }
        : { key: publicKey, dsaEncoding: "ieee-p1363" as const };
    return verify(hashOf[algorithm], signed, options, signature);
  } catch {
    return false;
  }
}

function requireSignature(token: string, header: Json, provider: OidcProviderConfig): void {
  const [head = "", body = "", signature = ""] = token.split(".");
  const { alg, kid } = header;
  if (typeof alg !== "string" || hashOf[alg] === undefined) {
    throw invalidToken("Token signature algorithm is not supported.");
  }
  const candidates = provider.keys.filter((key) => kid === undefined || (key as { kid?: unknown }).kid === kid);
  if (candidates.length === 0) throw invalidToken("Couldn't retrieve verification key from your identity provider");
  const signed = Buffer.from(`${head}.${body}`);
  if (!candidates.some((key) => isSignedBy(key, alg, signed, Buffer.from(signature, "base64url")))) {
    throw invalidToken("Token signature is invalid.");
  }
}

const firstString = (value: unknown): string => {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === "string" ? first : "";
};

/** Without providers a token need only look like one and not have expired. Throws STS's errors (docs/aws-kms-behaviour.md, "STS"). */
export function readWebIdentity(token: string, providers: readonly OidcProviderConfig[], nowMs: number): WebIdentity {
  const parts = token.split(".");
  if (parts.length !== 3) throw invalidToken("The ID Token provided is not a valid JWT.");
  const header = decodePart(parts[0] ?? "");
  const claims = decodePart(parts[1] ?? "");
  const issuer = firstString(claims.iss);
  const audience = firstString(claims.azp ?? claims.aud);
  const provider = providers.find((candidate) => candidate.issuer === issuer);
  if (providers.length > 0 && !provider) {
    throw invalidToken(`No OpenIDConnect provider found in your account for ${issuer}`);
  }
  if (provider) requireSignature(token, header, provider);
  if (typeof claims.exp !== "number") throw invalidToken("Missing a required claim: exp");
  if (claims.exp * 1000 <= nowMs) {
    throw new AwsException(
      "ExpiredTokenException",
      `Token expired: current date/time ${Math.floor(nowMs / 1000)} must be before the expiration date/time ${claims.exp}`,
    );
  }
  if (provider?.audiences && !provider.audiences.includes(audience)) {
    throw invalidToken("Incorrect token audience");
  }
  return { issuer, subject: firstString(claims.sub), audience };
}
