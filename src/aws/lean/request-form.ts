/**
 * What the SDK's requests look like, learnt from one that it has made.
 *
 * Endpoint, headers, Region and service name are the SDK's own. A form is taken only when the request made from it, with
 * the same body, credentials, date and invocation id, is the SDK's request byte for byte, signature included; whatever is
 * out of the ordinary (a query, an odd path, a header we do not know) leaves all requests with the SDK. Operations differ in one
 * header, `x-amz-target`, and in the body: a form that was learnt from one of them is good for all.
 */
import { hash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { type HttpRequestLike, type Place, WireRequest } from "../transport/wire-request.ts";
import { type SigningCredentials, SigV4 } from "./sigv4.ts";

/** Sent as they were learnt, but for the operation's name in the second. */
const target = "x-amz-target";
const constantHeaders = ["content-type", target, "x-amz-user-agent", "user-agent", "host", "amz-sdk-request"] as const;
/** Made for each request; signed in this order, which is that of their names. */
const ownHeaders = ["amz-sdk-invocation-id", "content-length", "x-amz-content-sha256", "x-amz-date"] as const;
const unsigned = new Set(["user-agent"]);

/** What may stand in a head without changing it. */
const plainHead = /^[\x20-\x7e]*(?:\r\n[\x20-\x7e]+)*$/;

/** Needs no escaping, and has nothing in it that would be normalised away. */
const plainPath = /^\/(?:[\w~-][\w.~-]*\/)*$/;

const isPlain = (request: HttpRequestLike): boolean =>
  request.method === "POST" &&
  plainPath.test(request.path) &&
  Object.keys(request.query ?? {}).length === 0 &&
  ["username", "password", "fragment"].every((member) => (Reflect.get(request, member) ?? undefined) === undefined);

/** `TrentService.Sign`: the service's name for itself, and the operation. */
const targetOf = (target: string) => /^(\w+)\.(\w+)$/.exec(target);

const scopeOf = (authorization: string) => /\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request,/.exec(authorization);

/** The canonical form of the signed headers, in the pieces between the values that are made for each request. */
type Canonical = readonly [string, string, string, string, string];

/** What is alike in all requests to one place with the same credentials. */
interface Common {
  readonly place: Place;
  readonly credentials: SigningCredentials;
  /** Method and path, with a space between them. */
  readonly line: string;
  /** In the order in which they are sent. */
  readonly headers: ReadonlyMap<string, string>;
  /** What stands before the operation's name in `x-amz-target`. */
  readonly targetPrefix: string;
  readonly signedHeaders: readonly string[];
  readonly sigV4: SigV4;
}

export class RequestForm {
  readonly place: Place;
  readonly #common: Common;
  /** The head up to what changes with credentials. */
  readonly #start: string;
  readonly #tokenLine: string;
  readonly #canonical: Canonical;
  readonly #byOperation = new Map<string, RequestForm>();

  /** Called by {@link RequestForm.learn} alone, which checks that the form makes the model. */
  constructor(common: Common, operation: string) {
    const { place, line, headers, targetPrefix, credentials, signedHeaders } = common;
    this.place = place;
    this.#common = common;
    const constant = new Map(headers).set(target, targetPrefix + operation);
    this.#start = `${line} HTTP/1.1\r\n${[...constant].map(([name, value]) => `${name}: ${value}\r\n`).join("")}`;
    const { sessionToken = "" } = credentials;
    this.#tokenLine = sessionToken === "" ? "" : `x-amz-security-token: ${sessionToken}\r\n`;
    if (sessionToken !== "") constant.set("x-amz-security-token", sessionToken);
    this.#canonical = canonicalOf(`${line.replace(" ", "\n")}\n\n`, signedHeaders, constant);
  }

  /**
   * @param body as it should have been written by the SDK
   * @returns undefined when the SDK's request cannot be made from a form
   */
  static learn(model: HttpRequestLike, body: string, credentials: SigningCredentials): RequestForm | undefined {
    const { headers } = model;
    const [, , region, service] = scopeOf(headers.authorization ?? "") ?? [];
    const [, name, operation] = targetOf(headers[target] ?? "") ?? [];
    if (region === undefined || service === undefined || operation === undefined || !isPlain(model)) return undefined;
    const form = new RequestForm(commonOf(model, `${name}.`, { credentials, region, service }), operation);
    const made = form.request(body, headers["x-amz-date"] ?? "", headers["amz-sdk-invocation-id"] ?? "");
    const [head = ""] = made.text.split("\r\n\r\n", 1);
    return plainHead.test(head) && isSame(model, made.toHttpRequest()) ? form : undefined;
  }

  /** The same for another operation. */
  to(operation: string): RequestForm {
    const known = this.#byOperation.get(operation);
    if (known !== undefined) return known;
    const form = new RequestForm(this.#common, operation);
    this.#byOperation.set(operation, form);
    return form;
  }

  /** Whether another form's requests go to the same place with the same words, whatever they ask for. */
  isLike(other: RequestForm): boolean {
    const told = ({ place, line, headers }: Common) => [place, line, [...headers].filter(([name]) => name !== target)];
    return isDeepStrictEqual(told(this.#common), told(other.#common));
  }

  /** Whether requests may be made from this form with these credentials. Others may change what the SDK sends. */
  isFor(credentials: SigningCredentials): boolean {
    const own = this.#common.credentials;
    return (
      credentials === own ||
      (credentials.accessKeyId === own.accessKeyId &&
        credentials.secretAccessKey === own.secretAccessKey &&
        credentials.sessionToken === own.sessionToken)
    );
  }

  /** @param date `20150830T123600Z` */
  request(body: string, date: string, invocationId: string): WireRequest {
    const length = Buffer.byteLength(body);
    const payloadHash = hash("sha256", body, "hex");
    const [start, afterId, afterLength, afterHash, end] = this.#canonical;
    const canonical = `${start}${invocationId}${afterId}${length}${afterLength}${payloadHash}${afterHash}${date}${end}${payloadHash}`;
    const authorization = this.#common.sigV4.authorization(canonical, date);
    const head = `${this.#start}${this.#tokenLine}content-length: ${length}\r\namz-sdk-invocation-id: ${invocationId}\r\nx-amz-date: ${date}\r\nx-amz-content-sha256: ${payloadHash}\r\nauthorization: ${authorization}\r\nconnection: keep-alive\r\n\r\n`;
    return new WireRequest(this.place, head + body, length === body.length);
  }
}

function commonOf(
  { protocol, hostname, port, method, path, headers: sent }: HttpRequestLike,
  targetPrefix: string,
  scope: { readonly credentials: SigningCredentials; readonly region: string; readonly service: string },
): Common {
  const headers = new Map<string, string>();
  for (const name of constantHeaders) {
    const value = sent[name];
    if (value !== undefined) headers.set(name, value);
  }
  const { credentials } = scope;
  const token = credentials.sessionToken ? ["x-amz-security-token"] : [];
  const signedHeaders = [...headers.keys(), ...token, ...ownHeaders].filter((name) => !unsigned.has(name)).sort();
  return {
    place: { protocol, hostname, port },
    credentials,
    line: `${method} ${path}`,
    headers,
    targetPrefix,
    signedHeaders,
    sigV4: new SigV4({ ...scope, signedHeaders: signedHeaders.join(";") }),
  };
}

function canonicalOf(
  start: string,
  signedHeaders: readonly string[],
  constant: ReadonlyMap<string, string>,
): Canonical {
  const pieces = [start];
  for (const name of signedHeaders) {
    const value = constant.get(name);
    pieces.push(`${pieces.pop()}${name}:${value ?? ""}`);
    if (value === undefined) pieces.push("");
    pieces.push(`${pieces.pop()}\n`);
  }
  pieces.push(`${pieces.pop()}\n${signedHeaders.join(";")}\n`);
  const [before = "", afterId = "", afterLength = "", afterHash = "", end = ""] = pieces;
  return [before, afterId, afterLength, afterHash, end];
}

/** Whether two requests are the same on the wire, but for the order of headers. */
function isSame(model: HttpRequestLike, made: HttpRequestLike): boolean {
  const names = Object.keys(model.headers);
  const areHeadersSame =
    names.length === Object.keys(made.headers).length &&
    names.every((name) => model.headers[name] === made.headers[name]);
  return areHeadersSame && textOf(model.body) === made.body;
}

// The SDK's body is an array of bytes that takes any other treatment for a mistake, and says so.
const textOf = (body: unknown): string | undefined =>
  body instanceof Uint8Array
    ? Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()
    : typeof body === "string"
      ? body
      : undefined;
