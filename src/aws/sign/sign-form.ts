/**
 * What the SDK's Sign requests look like, learnt from one that it has made.
 *
 * Endpoint, headers, Region and service name are the SDK's own. A form is taken only when the request made from it, with
 * the same input, credentials, date and invocation id, is the SDK's request byte for byte, signature included; whatever is
 * out of the ordinary (a query, an odd path, a header we do not know) leaves signing with the SDK.
 */
import { hash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { SigningAlgorithmSpec } from "../../key-manager/ports.ts";
import { type HttpRequestLike, type Place, WireRequest } from "../transport/wire-request.ts";
import { type SigningCredentials, SigV4 } from "./sigv4.ts";

/** A Sign request's members, in the order in which the SDK writes them. */
export interface SignMembers {
  readonly KeyId: string;
  readonly Message: Uint8Array;
  readonly SigningAlgorithm: SigningAlgorithmSpec;
  readonly MessageType: "DIGEST";
}

/** Sent as they were learnt. */
const constantHeaders = [
  "content-type",
  "x-amz-target",
  "x-amz-user-agent",
  "user-agent",
  "host",
  "amz-sdk-request",
] as const;
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

const scopeOf = (authorization: string) => /\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request,/.exec(authorization);

function bodyOf({ KeyId, Message, SigningAlgorithm, MessageType }: SignMembers): string {
  const digest = Buffer.from(Message.buffer, Message.byteOffset, Message.byteLength).toString("base64");
  const [keyId, algorithm, type] = [KeyId, SigningAlgorithm, MessageType].map((text) => JSON.stringify(text));
  return `{"KeyId":${keyId},"Message":"${digest}","SigningAlgorithm":${algorithm},"MessageType":${type}}`;
}

/** The canonical form of the signed headers, in the pieces between the values that are made for each request. */
type Canonical = readonly [string, string, string, string, string];

export class SignForm {
  readonly place: Place;
  readonly #credentials: SigningCredentials;
  /** The head up to what changes with credentials. */
  readonly #start: string;
  readonly #tokenLine: string;
  readonly #canonical: Canonical;
  readonly #sigV4: SigV4;

  /** Called by {@link SignForm.learn} alone, which checks that the form makes the model. */
  constructor(model: HttpRequestLike, credentials: SigningCredentials, region: string, service: string) {
    const { protocol, hostname, port, method, path } = model;
    this.place = { protocol, hostname, port };
    this.#credentials = credentials;
    const constant = new Map<string, string>();
    for (const name of constantHeaders) {
      const value = model.headers[name];
      if (value !== undefined) constant.set(name, value);
    }
    this.#start = `${method} ${path} HTTP/1.1\r\n${[...constant].map(([name, value]) => `${name}: ${value}\r\n`).join("")}`;
    const { sessionToken = "" } = credentials;
    this.#tokenLine = sessionToken === "" ? "" : `x-amz-security-token: ${sessionToken}\r\n`;
    if (sessionToken !== "") constant.set("x-amz-security-token", sessionToken);
    const names = [...constant.keys(), ...ownHeaders].filter((name) => !unsigned.has(name)).sort();
    this.#canonical = canonicalOf(`${method}\n${path}\n\n`, names, constant);
    this.#sigV4 = new SigV4({ credentials, region, service, signedHeaders: names.join(";") });
  }

  /** @returns undefined when the SDK's request cannot be made from a form */
  static learn(model: HttpRequestLike, input: SignMembers, credentials: SigningCredentials): SignForm | undefined {
    const { headers } = model;
    const [, , region, service] = scopeOf(headers.authorization ?? "") ?? [];
    if (region === undefined || service === undefined || !isPlain(model)) return undefined;
    const form = new SignForm(model, credentials, region, service);
    const made = form.request(input, headers["x-amz-date"] ?? "", headers["amz-sdk-invocation-id"] ?? "");
    const [head = ""] = made.text.split("\r\n\r\n", 1);
    return plainHead.test(head) && isSame(model, made.toHttpRequest()) ? form : undefined;
  }

  /** Whether another form's requests go to the same place with the same words. */
  isLike(other: SignForm): boolean {
    return isDeepStrictEqual([this.place, this.#start], [other.place, other.#start]);
  }

  /** Whether requests may be made from this form with these credentials. Others may change what the SDK sends. */
  isFor(credentials: SigningCredentials): boolean {
    const own = this.#credentials;
    return (
      credentials === own ||
      (credentials.accessKeyId === own.accessKeyId &&
        credentials.secretAccessKey === own.secretAccessKey &&
        credentials.sessionToken === own.sessionToken)
    );
  }

  /** @param date `20150830T123600Z` */
  request(input: SignMembers, date: string, invocationId: string): WireRequest {
    const body = bodyOf(input);
    const length = Buffer.byteLength(body);
    const payloadHash = hash("sha256", body, "hex");
    const [start, afterId, afterLength, afterHash, end] = this.#canonical;
    const canonical = `${start}${invocationId}${afterId}${length}${afterLength}${payloadHash}${afterHash}${date}${end}${payloadHash}`;
    const authorization = this.#sigV4.authorization(canonical, date);
    const head = `${this.#start}${this.#tokenLine}content-length: ${length}\r\namz-sdk-invocation-id: ${invocationId}\r\nx-amz-date: ${date}\r\nx-amz-content-sha256: ${payloadHash}\r\nauthorization: ${authorization}\r\nconnection: keep-alive\r\n\r\n`;
    return new WireRequest(this.place, head + body, length === body.length);
  }
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
