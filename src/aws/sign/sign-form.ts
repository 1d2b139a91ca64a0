/**
 * What the SDK's Sign requests look like, learnt from one that it has made.
 *
 * Endpoint, headers, Region and service name are the SDK's own. A form is taken only when the request made from it, with
 * the same input, credentials, date and invocation id, is the SDK's request byte for byte, signature included; whatever is
 * out of the ordinary (a query, an odd path, a header we do not know) leaves signing with the SDK.
 */
import { createHash } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { SigningAlgorithmSpec } from "../../key-manager/ports.ts";
import { type SigningCredentials, SigV4 } from "./sigv4.ts";

/** A Sign request's members, in the order in which the SDK writes them. */
export interface SignMembers {
  readonly KeyId: string;
  readonly Message: Uint8Array;
  readonly SigningAlgorithm: SigningAlgorithmSpec;
  readonly MessageType: "DIGEST";
}

/** The members of the SDK's HttpRequest that are used. */
export interface HttpRequestLike {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
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
/** Made for each request. */
const ownHeaders = [
  "content-length",
  "amz-sdk-invocation-id",
  "x-amz-date",
  "x-amz-security-token",
  "x-amz-content-sha256",
  "authorization",
];
const unsigned = new Set(["user-agent", "authorization"]);

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
  return JSON.stringify({ KeyId, Message: digest, SigningAlgorithm, MessageType });
}

export class SignForm {
  readonly #model: HttpRequestLike;
  readonly #credentials: SigningCredentials;
  readonly #token: string | undefined;
  readonly #constant: Readonly<Record<string, string>>;
  readonly #signedHeaders: readonly string[];
  readonly #sigV4: SigV4;

  /** Called by {@link SignForm.learn} alone, which checks that the form makes the model. */
  constructor(model: HttpRequestLike, credentials: SigningCredentials, region: string, service: string) {
    this.#model = model;
    this.#credentials = credentials;
    const { sessionToken } = credentials;
    this.#token = sessionToken === undefined || sessionToken === "" ? undefined : sessionToken;
    const entries = constantHeaders.map((name) => [name, model.headers[name]]);
    this.#constant = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
    const names = [...Object.keys(this.#constant), ...ownHeaders].filter((name) => !unsigned.has(name));
    this.#signedHeaders = names.filter((name) => name !== "x-amz-security-token" || this.#token !== undefined).sort();
    this.#sigV4 = new SigV4(credentials, region, service);
  }

  /** @returns undefined when the SDK's request cannot be made from a form */
  static learn(model: HttpRequestLike, input: SignMembers, credentials: SigningCredentials): SignForm | undefined {
    const { headers } = model;
    const [, , region, service] = scopeOf(headers.authorization ?? "") ?? [];
    if (region === undefined || service === undefined || !isPlain(model)) return undefined;
    const form = new SignForm(model, credentials, region, service);
    const made = form.#fill(input, headers["x-amz-date"] ?? "", headers["amz-sdk-invocation-id"] ?? "");
    return isSame(model, made) ? form : undefined;
  }

  /** Whether another form's requests go to the same place with the same words. */
  isLike(other: SignForm): boolean {
    return isDeepStrictEqual([this.#place(), this.#constant], [other.#place(), other.#constant]);
  }

  /** Whether requests may be made from this form with these credentials. Others may change what the SDK sends. */
  isFor({ accessKeyId, secretAccessKey, sessionToken }: SigningCredentials): boolean {
    const own = this.#credentials;
    return (
      accessKeyId === own.accessKeyId && secretAccessKey === own.secretAccessKey && sessionToken === own.sessionToken
    );
  }

  /**
   * A request to be sent by the SDK's HTTP handler.
   *
   * @param date `20150830T123600Z`
   */
  request(input: SignMembers, date: string, invocationId: string): HttpRequestLike {
    return this.#fill(input, date, invocationId);
  }

  /** Where the requests go. */
  get place(): Pick<HttpRequestLike, "protocol" | "hostname" | "port"> {
    const { protocol, hostname, port } = this.#model;
    return { protocol, hostname, port };
  }

  #place() {
    const { protocol, hostname, port, path } = this.#model;
    return { protocol, hostname, port, path };
  }

  #fill(input: SignMembers, date: string, invocationId: string): HttpRequestLike {
    const { method, path } = this.#model;
    const body = bodyOf(input);
    const payloadHash = createHash("sha256").update(body).digest("hex");
    const headers: Record<string, string> = {
      ...this.#constant,
      "content-length": String(Buffer.byteLength(body)),
      "amz-sdk-invocation-id": invocationId,
      "x-amz-date": date,
      "x-amz-content-sha256": payloadHash,
    };
    if (this.#token !== undefined) headers["x-amz-security-token"] = this.#token;
    const signedHeaders = this.#signedHeaders;
    headers.authorization = this.#sigV4.authorization({ method, path, headers, signedHeaders, payloadHash }, date);
    return { ...this.#place(), method, headers, body };
  }
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
