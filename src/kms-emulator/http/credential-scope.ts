/** What a request tells of its Region and access key without being verified. */
import type { IncomingHttpHeaders } from "node:http";

/** The credential of a SigV4 signature: who signs, and for which day, Region and service. */
export interface CredentialScope {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** The answers of a function of one text, kept: clients say the same thing with every request. */
function remembering<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const first = known.get(text);
    if (first !== undefined) return first;
    const answer = read(text);
    if (known.size >= 1_000) known.clear();
    known.set(text, answer);
    return answer;
  };
}

export const parseScope = remembering((credential): CredentialScope | undefined => {
  const parts = credential.split("/");
  const [date, region, service, terminator] = parts.slice(-4);
  const accessKeyId = parts.slice(0, -4).join("/");
  if (!accessKeyId || !date || !region || !service || terminator !== "aws4_request") return undefined;
  return { accessKeyId, date, region, service };
});

/** From the Authorization header, or from the query string of a presigned URL. */
export function scopeOf(headers: IncomingHttpHeaders, query: URLSearchParams): CredentialScope | undefined {
  const inHeader = /Credential=([^,\s]+)/.exec(headers.authorization ?? "")?.[1];
  const credential = inHeader ?? query.get("X-Amz-Credential");
  return credential ? parseScope(credential) : undefined;
}

const regionPattern = /(?:^|\.)(?:kms|sts|tagging)(?:-fips)?\.((?:[a-z]+-){2,3}\d+)(?:[.:]|$)/i;

/** The Region in a host name of AWS's form, such as `kms.eu-west-1.amazonaws.com`; "" if it shows none. */
export const regionOfHost = remembering((host): string => regionPattern.exec(host)?.[1]?.toLowerCase() ?? "");
