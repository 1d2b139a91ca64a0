/** Credentials as JSON: the form that containers, machines and credential processes give them in. */
import type { Credentials } from "../credentials.ts";
import { sourceError } from "../source-error.ts";

/** @param tokenName what this source calls the session token */
export function credentialsFromJson(
  text: string,
  source: string,
  tokenName: "Token" | "SessionToken",
): Credentials & { readonly members: Readonly<Record<string, unknown>> } {
  let members: Record<string, unknown>;
  try {
    members = Object(JSON.parse(text));
  } catch {
    // The text is not quoted: it may hold a secret.
    throw sourceError(`${source} gave an answer that is not JSON`);
  }
  const member = (name: string): string | undefined => {
    const value = members[name];
    if (value === undefined || value === null || value === "") return undefined;
    if (typeof value !== "string") throw sourceError(`${source} gave a ${name} that is not a string`);
    return value;
  };
  const required = (name: string): string => {
    const value = member(name);
    if (value === undefined) throw sourceError(`${source} gave no ${name}`);
    return value;
  };
  const sessionToken = member(tokenName);
  const expires = member("Expiration");
  const expiration = expires === undefined ? undefined : new Date(expires);
  if (expiration !== undefined && Number.isNaN(expiration.getTime())) {
    throw sourceError(`${source} gave an Expiration that is not a time`);
  }
  return {
    accessKeyId: required("AccessKeyId"),
    secretAccessKey: required("SecretAccessKey"),
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(expiration === undefined ? {} : { expiration }),
    members,
  };
}
