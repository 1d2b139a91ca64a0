/** Nonsense, made by rule and not by chance: every member of an answer × every JSON type, and what no member of an answer is. */
import type { RawAnswer } from "./nonsense-server.ts";

export interface Nonsense extends RawAnswer {
  readonly title: string;
  /** Path of the member that is changed. */
  readonly path?: string;
  /** Whether that member is not there, or null, which is the same. */
  readonly isAbsent?: boolean;
}

const missing = Symbol("missing");
const values: readonly unknown[] = [null, true, 7, "nonsense", [], {}, missing];
const kindOf = (value: unknown): string =>
  value === null ? "null" : Array.isArray(value) ? "array" : value === missing ? "missing" : typeof value;

/** Texts and numbers that are of the right type and yet cannot be. */
const absurd: Readonly<Record<string, readonly unknown[]>> = {
  // Base64 that is none, of any length.
  PublicKey: ["", "!", "AAAA=A", "Zm9v\u0000"],
  Signature: ["", "!", "AAAA=A", "Zm9v\u0000"],
  CreationDate: ["yesterday", "", 0, -1, 1e308, 1e15],
  DeletionDate: ["yesterday", "", 0, -1, 1e308, 1e15],
  LastUpdatedDate: ["yesterday", "", 0, -1, 1e308, 1e15],
  Arn: ["", "x".repeat(100_000)],
  KeyArn: ["", "x".repeat(100_000)],
  AliasName: ["", "x".repeat(100_000)],
  ResourceARN: ["", "x".repeat(100_000)],
  KeyState: ["", "x".repeat(100_000)],
};

function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const below =
    typeof value === "object" && value !== null
      ? Object.entries(value).flatMap(([name, member]) => pathsOf(member, [...path, name]))
      : [];
  return path.length === 0 ? below : [path, ...below];
}

function memberAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((member, name) => Reflect.get(Object(member), name), value);
}

function changed(value: unknown, [name, ...rest]: readonly string[], member: unknown): unknown {
  if (name === undefined) return member;
  const copy = structuredClone(value) as Record<string, unknown>;
  const below = changed(copy[name], rest, member);
  if (below !== missing) copy[name] = below;
  else if (Array.isArray(copy)) copy.splice(Number(name), 1);
  else delete copy[name];
  return copy;
}

/** Every member of a right answer, with every type that it is not of. A listing that is shorter is no nonsense. */
export function membersOfOtherTypes(answer: object): Nonsense[] {
  return pathsOf(answer).flatMap((path) => {
    const right = memberAt(answer, path);
    const name = path.at(-1) ?? "";
    const isItem = /^\d+$/.test(name);
    const wrong = values.filter((value) => kindOf(value) !== kindOf(right) && !(isItem && value === missing));
    return [...wrong, ...(absurd[name] ?? [])].map((value) => ({
      title: `${path.join(".")} is ${value === missing ? "missing" : JSON.stringify(value).slice(0, 30)}`,
      path: path.join("."),
      isAbsent: value === missing || value === null,
      status: 200,
      body: JSON.stringify(changed(answer, path, value)),
    }));
  });
}

const page = "<html><body>Sign in to continue</body></html>";
const refusal = JSON.stringify({ __type: "NotFoundException", message: "Key is not found." });

const deep = "[".repeat(200_000) + "]".repeat(200_000);

/** Answers without any member that is known: right only where nothing is to be told. */
export const emptyAnswers: readonly Nonsense[] = [
  { title: "200: nothing", status: 200, body: "" },
  { title: "200: an empty object", status: 200, body: "{}" },
  { title: "200: a member that is not known", status: 200, body: '{"a":7}' },
  { title: "200: a member without end", status: 200, body: `{"a":${deep}}` },
];

/** What no operation of AWS's JSON protocol answers. */
export const wholeAnswers: readonly Nonsense[] = [
  ...["[]", "null", "7", '"text"', "true", "{", '{"KeyId":', "\u0000", `\u{feff}x`, page].map((body) => ({
    title: `200: ${JSON.stringify(body)}`,
    status: 200,
    body,
  })),
  { title: "200: nesting without end", status: 200, body: deep },
  { title: "200: UTF-16", status: 200, body: Buffer.from('{"KeyId":"a"}', "utf16le") },
  { title: "200: a refusal", status: 200, body: refusal },
  { title: "200: a refusal in a header", status: 200, headers: { "x-amzn-errortype": "NotFoundException" }, body: "" },
  { title: "200: cut short", status: 200, headers: { "content-length": "1000" }, body: '{"KeyId":', isCut: true },
  { title: "400: cut short", status: 400, headers: { "content-length": "1000" }, body: refusal, isCut: true },
  {
    title: "200: longer than it says",
    status: 200,
    headers: { "content-length": "3", connection: "close" },
    body: '{"a":1}',
  },
  ...[204, 301, 302, 304, 307, 308].map((status) => ({
    title: `${status}: no body`,
    status,
    headers: { location: "http://127.0.0.1:9/" },
    body: "",
  })),
  ...[301, 600, 999].map((status) => ({ title: `${status}: a refusal`, status, body: refusal })),
  ...[400, 401, 403, 404, 418, 451, 500, 502, 503, 504, 599].flatMap((status) =>
    ["", "{}", "[]", "null", page].map((body) => ({ title: `${status}: ${JSON.stringify(body)}`, status, body })),
  ),
];

const noNames: readonly unknown[] = [
  null,
  true,
  7,
  [],
  ["NotFoundException"],
  ["KMSInvalidStateException", "x"],
  {},
  { a: "NotFoundException" },
  "",
  " ",
  "#",
  ":",
  "com.amazonaws.kms#",
  "Not Found",
  "\u0000",
  "404",
  "__proto__",
  "x".repeat(100_000),
  "UnknownError",
];

const noMessages: readonly unknown[] = [true, 7, 0, [], ["pending deletion"], {}, { a: "pending deletion" }];

/** Error answers whose members are not what AWS's are. */
export const errorAnswers: readonly Nonsense[] = [400, 500].flatMap((status) => [
  ...["__type", "code", "Code"].flatMap((member) =>
    noNames.map((name) => ({
      title: `${status}: ${member} is ${JSON.stringify(name).slice(0, 40)}`,
      status,
      // The SDK prefers a code, where there is one.
      body: JSON.stringify({
        ...(member === "__type" ? {} : { __type: "NotFoundException" }),
        [member]: name,
        message: "no",
      }),
    })),
  ),
  ...["message", "Message"].flatMap((member) =>
    noMessages.map((message) => ({
      title: `${status}: ${member} is ${JSON.stringify(message)}`,
      status,
      body: JSON.stringify({ __type: "KMSInvalidStateException", [member]: message }),
    })),
  ),
  ...["", ",", "#", ":", "7", "Not Found", "x".repeat(4_000)].map((name) => ({
    title: `${status}: x-amzn-errortype is ${JSON.stringify(name).slice(0, 40)}`,
    status,
    headers: { "x-amzn-errortype": name },
    body: refusal,
  })),
]);
