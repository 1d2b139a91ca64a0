/** Grant tokens: which grant one stands for. Nothing is kept of them, and each is another text. */
import { createHash, randomBytes } from "node:crypto";
import { AwsException } from "../exceptions.ts";
import type { GrantRecord } from "../state/records.ts";

type GrantPlace = Pick<GrantRecord, "account" | "region" | "keyId" | "grantId">;

const checkBytes = 16;
const saltBytes = 32;

const checkOf = (body: Uint8Array): Buffer =>
  createHash("sha256").update("grant token\n").update(body).digest().subarray(0, checkBytes);

export function grantTokenOf({ account, region, keyId, grantId }: GrantPlace): string {
  const body = Buffer.concat([randomBytes(saltBytes), Buffer.from(JSON.stringify([account, region, keyId, grantId]))]);
  return Buffer.concat([checkOf(body), body]).toString("base64url");
}

const invalidToken = (): AwsException => new AwsException("InvalidGrantTokenException", "Grant token is invalid."); // text [I]

/** Where the grant of a token is, or was. Throws InvalidGrantTokenException for a text that no CreateGrant has made. */
export function readGrantToken(token: string): GrantPlace {
  const bytes = Buffer.from(token, "base64url");
  const body = bytes.subarray(checkBytes);
  if (bytes.length <= checkBytes + saltBytes || !checkOf(body).equals(bytes.subarray(0, checkBytes))) {
    throw invalidToken();
  }
  const place = JSON.parse(body.toString("utf8", saltBytes)) as readonly [string, string, string, string];
  const [account, region, keyId, grantId] = place;
  return { account, region, keyId, grantId };
}

/** Grants count as soon as they are made, so a token only has to be one. */
export function requireGrantTokens(tokens: readonly string[] | undefined): void {
  for (const token of tokens ?? []) readGrantToken(token);
}
