/**
 * Page markers: the name of the last element given out, bound to the listing it came from. Nothing is kept on the server,
 * and the element may disappear meanwhile: the next page starts after its name.
 */
import { createHash } from "node:crypto";
import { AwsException } from "../exceptions.ts";

const checkBytes = 9;

const checkOf = (scope: string, after: string): Buffer =>
  createHash("sha256").update(`${scope}\n${after}`).digest().subarray(0, checkBytes);

export function encodeMarker(scope: string, after: string): string {
  return Buffer.concat([checkOf(scope, after), Buffer.from(after)]).toString("base64url");
}

/** Throws InvalidMarkerException if the marker was made up, or for another listing, account or Region. */
export function decodeMarker(scope: string, marker: string | undefined): string | undefined {
  if (marker === undefined) return undefined;
  const bytes = Buffer.from(marker, "base64url");
  const after = bytes.subarray(checkBytes).toString();
  if (encodeMarker(scope, after) !== marker) {
    throw new AwsException("InvalidMarkerException", "Could not deserialize marker");
  }
  return after;
}

interface Page<T> {
  readonly items: T[];
  readonly hasMore: boolean;
}

/** The first `limit` elements and whether there is another. */
export function firstPage<T>(elements: Iterable<T>, limit: number): Page<T> {
  const items: T[] = [];
  for (const element of elements) {
    if (items.length === limit) return { items, hasMore: true };
    items.push(element);
  }
  return { items, hasMore: false };
}

/** `Truncated` always, `NextMarker` only if there is more. */
export function pageMembers(page: Page<string>, scope: string): { Truncated: boolean; NextMarker?: string } {
  const last = page.items.at(-1);
  if (!page.hasMore || last === undefined) return { Truncated: false };
  return { NextMarker: encodeMarker(scope, last), Truncated: true };
}
