/** Bytes, from the SPIFFE ID specification. */
const maxTrustDomainLength = 255;

/** @returns what is wrong with the name, or undefined */
export function trustDomainProblem(name: string): string | undefined {
  if (name.length > maxTrustDomainLength)
    return `it has ${name.length} characters, and ${maxTrustDomainLength} are allowed`;
  if (/^[a-z0-9._-]+$/.test(name)) return undefined;
  return "only lower-case letters, digits, dots, dashes and underscores are allowed";
}
