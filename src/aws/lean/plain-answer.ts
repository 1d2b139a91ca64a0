/**
 * What plainly is KMS's answer to an operation, read without the SDK: members of the types that KMS documents, as the SDK would
 * give them. Whatever is odd in any member that the SDK knows is left to the SDK.
 */
import { troubleWithSuccess } from "../calls/plain-json.ts";

/** Reads one member. Undefined for an odd one. */
export type Reader = (value: unknown) => unknown;

/** By the names of all members that the SDK knows. */
export type MemberTable = Readonly<Record<string, Reader>>;

export const text: Reader = (value) => (typeof value === "string" ? value : undefined);
export const flag: Reader = (value) => (typeof value === "boolean" ? value : undefined);
export const count: Reader = (value) => (Number.isSafeInteger(value) ? value : undefined);

/** Seconds of this century and the end of the last; all else is for the SDK to judge. */
const maxSeconds = 4_102_444_800;
export const date: Reader = (value) =>
  typeof value === "number" && value >= 0 && value < maxSeconds ? new Date(Math.round(value * 1_000)) : undefined;

const plainBase64 =
  /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$|^[A-Za-z0-9+/]{2}==$|^[A-Za-z0-9+/]{3}=$/;
export const bytes: Reader = (value) =>
  typeof value === "string" && plainBase64.test(value) ? new Uint8Array(Buffer.from(value, "base64")) : undefined;

export const list =
  (item: Reader): Reader =>
  (value) => {
    if (!Array.isArray(value)) return undefined;
    const read: unknown[] = value.map(item);
    return read.includes(undefined) ? undefined : read;
  };

/** With its table. */
export interface MembersReader extends Reader {
  readonly members: MemberTable;
}

export function members(table: MemberTable): MembersReader {
  const readers = Object.entries(table);
  const read: Reader = (value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    const found: Record<string, unknown> = {};
    for (const [name, reader] of readers) {
      const member: unknown = Reflect.get(value, name);
      if (member === undefined) continue;
      const plain = reader(member);
      if (plain === undefined) return undefined;
      found[name] = plain;
    }
    return found;
  };
  return Object.assign(read, { members: table });
}

/** @returns undefined for what is no JSON */
export function jsonIn(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

/** Where an operation answers nothing: then a body of no bytes is plain, too. */
export const nothing = members({});

/**
 * @param errorType the header `x-amzn-errortype`
 * @returns what the SDK would answer with, or undefined if only the SDK may say
 */
export function plainOutput(read: Reader, body: Buffer, errorType: string | undefined): object | undefined {
  const isNothing = read === nothing && body.length === 0;
  const json = isNothing ? {} : jsonIn(body);
  const output = read(json);
  const isPlain = output !== undefined && troubleWithSuccess(Object(json), errorType) === undefined;
  return isPlain ? Object(output) : undefined;
}
