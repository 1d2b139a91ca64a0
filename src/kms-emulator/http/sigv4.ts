/** Signature Version 4: reads a signature and computes the one that it must be. */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { type CredentialScope, parseScope } from "./credential-scope.ts";

/** The parts of a SigV4 signature as a request carries them, in its Authorization header or in its query string. */
export interface SignedRequest {
  readonly scope: CredentialScope;
  /** Names, with semicolons between them. */
  readonly signedHeaders: string;
  readonly signature: string;
  /** X-Amz-Date: `20260101T000000Z`. */
  readonly date: string;
  readonly securityToken: string | undefined;
  /** Seconds that a presigned URL is good for; undefined for a header signature. */
  readonly expiresSeconds: number | undefined;
}

export interface CanonicalParts {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

const algorithm = "AWS4-HMAC-SHA256";

const headerText = (headers: IncomingHttpHeaders, name: string): string => {
  const value = headers[name];
  const text = (Array.isArray(value) ? value.join(",") : (value ?? "")).trim();
  return text.includes("  ") ? text.replace(/ +/g, " ") : text;
};

const datePattern = /^\d{8}T\d{6}Z$/;

function build(
  parts: {
    credential?: string | null | undefined;
    signedHeaders?: string | null | undefined;
    signature?: string | null | undefined;
  },
  rest: Pick<SignedRequest, "date" | "securityToken" | "expiresSeconds">,
): SignedRequest | undefined {
  const scope = parts.credential ? parseScope(parts.credential) : undefined;
  if (!scope || !parts.signedHeaders || !parts.signature || !datePattern.test(rest.date)) return undefined;
  const { date, securityToken, expiresSeconds } = rest;
  const { signedHeaders, signature } = parts;
  return { scope, signedHeaders, signature, date, securityToken, expiresSeconds };
}

/** As every SDK writes it; what looks otherwise is taken apart field by field. */
const usualHeader = /^AWS4-HMAC-SHA256 Credential=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([^,\s]+)$/;

function fromHeader(headers: IncomingHttpHeaders, authorization: string): SignedRequest | undefined {
  const usual = usualHeader.exec(authorization);
  const date = headerText(headers, "x-amz-date");
  const securityToken = headerText(headers, "x-amz-security-token") || undefined;
  if (usual !== null) {
    const [, credential, signedHeaders, signature] = usual;
    return build({ credential, signedHeaders, signature }, { date, securityToken, expiresSeconds: undefined });
  }
  if (!authorization.startsWith(algorithm)) return undefined;
  const fields = authorization.slice(algorithm.length).split(",");
  const pairs = fields.map((field) => /^\s*([A-Za-z]+)=(.*?)\s*$/.exec(field));
  const find = (name: string) => pairs.find((pair) => pair?.[1] === name)?.[2] ?? null;
  return build(
    { credential: find("Credential"), signedHeaders: find("SignedHeaders"), signature: find("Signature") },
    { date, securityToken, expiresSeconds: undefined },
  );
}

function fromQuery(query: URLSearchParams): SignedRequest | undefined {
  const parts = {
    credential: query.get("X-Amz-Credential"),
    signedHeaders: query.get("X-Amz-SignedHeaders"),
    signature: query.get("X-Amz-Signature"),
  };
  return build(parts, {
    date: query.get("X-Amz-Date") ?? "",
    securityToken: query.get("X-Amz-Security-Token") ?? undefined,
    expiresSeconds: Number(query.get("X-Amz-Expires") ?? "900"),
  });
}

/** `unsigned` if there is no signature at all, `incomplete` if there is only a part of one. */
export type Signature = SignedRequest | "unsigned" | "incomplete";

export function readSignature({ headers, query }: Pick<CanonicalParts, "headers" | "query">): Signature {
  const { authorization } = headers;
  if (authorization !== undefined) return fromHeader(headers, authorization) ?? "incomplete";
  if (query.has("X-Amz-Signature") || query.has("X-Amz-Credential")) return fromQuery(query) ?? "incomplete";
  return "unsigned";
}

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

function canonicalQuery(query: URLSearchParams): string {
  const pairs = [...query].filter(([name]) => name !== "X-Amz-Signature");
  return pairs
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join("&");
}

const sha256 = (data: string | Buffer): string => createHash("sha256").update(data).digest("hex");
const hmac = (key: string | Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();

/** What the client must have signed. */
function canonicalRequest(parts: CanonicalParts, signedHeaders: string): string {
  const path = parts.path.split("/").map(encode).join("/");
  const lines = signedHeaders.split(";").map((name) => `${name}:${headerText(parts.headers, name)}\n`);
  return [
    parts.method,
    path || "/",
    canonicalQuery(parts.query),
    lines.join(""),
    signedHeaders,
    sha256(parts.body),
  ].join("\n");
}

/** Signing keys by secret and scope: four HMACs that change once a day. */
const signingKeys = new Map<string, Buffer>();

function signingKey(secret: string, { date, region, service }: CredentialScope): Buffer {
  const name = `${secret}/${date}/${region}/${service}`;
  const known = signingKeys.get(name);
  if (known) return known;
  const key = [region, service, "aws4_request"].reduce(hmac, hmac(`AWS4${secret}`, date));
  if (signingKeys.size > 1_000) signingKeys.clear();
  signingKeys.set(name, key);
  return key;
}

export function isSignatureCorrect(parts: CanonicalParts, signed: SignedRequest, secret: string): boolean {
  const { scope } = signed;
  const scopeText = `${scope.date}/${scope.region}/${scope.service}/aws4_request`;
  const request = sha256(canonicalRequest(parts, signed.signedHeaders));
  const text = [algorithm, signed.date, scopeText, request].join("\n");
  const expected = Buffer.from(hmac(signingKey(secret, scope), text).toString("hex"));
  const given = Buffer.from(signed.signature);
  return expected.length === given.length && timingSafeEqual(expected, given);
}

/** Epoch milliseconds of `20260101T000000Z`. */
export function signingTimeMs(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/, "$1-$2-$3T$4:$5:$6Z"));
}
