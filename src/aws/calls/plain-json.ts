/**
 * A look at the JSON of an answer before the SDK reads it.
 *
 * The SDK takes much for an answer that is none: it coerces an exception's name out of a list, leaves `null`s out of listings
 * (a listing that lacks an alias makes a key look unused), and where an operation answers nothing it takes anything for
 * success. An answer that AWS cannot have given says nothing about whether the call was carried out.
 */
import { Readable } from "node:stream";
import { KmsError } from "../../key-manager/ports.ts";
import { collect } from "./body.ts";
import { isExceptionName } from "./exceptions.ts";

/** The header in which AWS may name an exception. */
export const errorTypeHeader = "x-amzn-errortype";

interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  body: unknown;
}

type Check = <Input, Output extends { readonly response: unknown }>(
  next: (args: Input) => Promise<Output>,
  context: { readonly commandName?: string },
) => (args: Input) => Promise<Output>;

/** The part of an SDK client that this needs. */
interface JsonClient {
  readonly middlewareStack: {
    add(check: Check, options: { step: "deserialize"; name: string; priority: "low" }): void;
  };
}

/** From now on the client's calls fail with a {@link KmsError} `UNAVAILABLE` when what answers does not speak AWS's JSON. */
export function requirePlainJson(client: JsonClient): void {
  const check: Check = (next, context) => async (args) => {
    const result = await next(args);
    const response = result.response as Response;
    const trouble = troubleWith(response, await readBody(response));
    if (trouble !== undefined) throw malformed(context.commandName ?? "", response, trouble);
    return result;
  };
  client.middlewareStack.add(check, { step: "deserialize", name: "requirePlainJson", priority: "low" });
}

/** The body's text; the SDK finds the body as it was. */
async function readBody(response: Response): Promise<string> {
  const { body } = response;
  const bytes = body instanceof Readable ? await collect(body) : body instanceof Uint8Array ? body : Buffer.alloc(0);
  response.body = bytes;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}

/** @returns what is wrong, in a few words; undefined for an answer that AWS may have given */
function troubleWith({ statusCode, headers }: Response, text: string): string | undefined {
  const members = text === "" ? {} : membersOf(text);
  if (members === undefined) return "it is no JSON object";
  const isError = statusCode >= 400 && statusCode < 600;
  if (!isError && statusCode !== 200) return "AWS answers with no such status";
  const errorType = Object.entries(headers).find(([name]) => name.toLowerCase() === errorTypeHeader)?.[1];
  if (!isError) return troubleWithSuccess(members, errorType);
  const names = namesIn(members, errorType);
  if (!names.every(isExceptionName)) return "its exception has no name";
  if (names.length === 0) return "it is no exception of AWS's";
  const message = memberOf(members, "message");
  return (message ?? "") === "" || typeof message === "string" ? undefined : "its exception has no readable message";
}

/**
 * @param errorType the header {@link errorTypeHeader}
 * @returns what is wrong with what came with status 200
 */
export function troubleWithSuccess(members: object, errorType: string | undefined): string | undefined {
  const names = namesIn(members, errorType);
  if (!names.every(isExceptionName)) return "its exception has no name";
  return names.length > 0 ? "it is an exception" : hasHoles(members) ? "its list has holes" : undefined;
}

function membersOf(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Some of AWS's services write `Message` and `Code`, and the SDK reads either. */
function memberOf(members: object, name: string): unknown {
  const key = Object.keys(members).find((each) => each.length === name.length && each.toLowerCase() === name);
  return key === undefined ? undefined : Reflect.get(members, key);
}

/** All that the SDK could take for an exception's name. What follows a colon or a comma is no part of it. */
function namesIn(members: object, errorType: string | undefined): unknown[] {
  return [errorType, memberOf(members, "code"), memberOf(members, "__type")]
    .filter((name) => name !== undefined)
    .map((name) => (typeof name === "string" ? (name.split(/[,:]/)[0] ?? "").replace(/^.*#/, "") : name));
}

/** Whether a list somewhere has a `null` for an item. The SDK would leave it out. */
function hasHoles(value: unknown): boolean {
  const left = [value];
  for (let next = left.pop(); left.length > 0 || next !== undefined; next = left.pop()) {
    if (typeof next !== "object" || next === null) continue;
    if (Array.isArray(next) && next.includes(null)) return true;
    left.push(...Object.values(next).filter((item) => typeof item === "object" && item !== null));
  }
  return false;
}

const malformed = (command: string, { statusCode, headers }: Response, trouble: string): KmsError =>
  new KmsError(`HTTP ${statusCode}, but not an answer of AWS's: ${trouble}`, {
    code: "UNAVAILABLE",
    operation: command.replace(/Command$/, ""),
    awsName: "MalformedResponse",
    requestId: headers["x-amzn-requestid"]?.replace(/[^\w-]/g, "").slice(0, 100),
    outcomeUnknown: true,
  });
