/** A request as the bytes that are sent, and a way to read it again for those who want it in parts. */
import type { NodeHttpHandler } from "@smithy/node-http-handler";
import type { ResponseHead } from "./response-head.ts";

type Handle = NodeHttpHandler["handle"];
export type Request = Parameters<Handle>[0];
export type Answer = Awaited<ReturnType<Handle>>;

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

/** Where a request goes. */
export type Place = Pick<HttpRequestLike, "protocol" | "hostname" | "port">;

/** An answer as the SDK's handlers give it, but for its body, which is all there, and its headers, which are seldom wanted. */
export class PlainResponse {
  readonly statusCode: number;
  readonly reason: string;
  body: unknown;
  readonly head: ResponseHead;

  constructor(head: ResponseHead, body: Buffer) {
    this.statusCode = head.statusCode;
    this.reason = head.reason;
    this.body = body;
    this.head = head;
  }

  get headers(): Readonly<Record<string, string>> {
    return this.head.headers;
  }
}

/** One header, by its name in lower case. */
export const headerOf = (response: Answer["response"] | PlainResponse, name: string): string | undefined =>
  response instanceof PlainResponse ? response.head.get(name) : response.headers[name];

export const dateOf = (response: Answer["response"] | PlainResponse): string | undefined => headerOf(response, "date");

const endOfHead = "\r\n\r\n";

/** Headers that are the connection's and not the request's. */
const ofConnection = "connection";

export class WireRequest {
  /** The same object for all requests to the same place. */
  readonly place: Place;
  /** Head and body: a request line, each header once, the length of the body among them. The head is ASCII. */
  readonly text: string;
  /** By which the text becomes bytes. */
  readonly encoding: "latin1" | "utf8";

  constructor(place: Place, text: string, isAscii: boolean) {
    this.place = place;
    this.text = text;
    this.encoding = isAscii ? "latin1" : "utf8";
  }

  /** What the bytes say, for the SDK's HTTP handlers. */
  toHttpRequest(): HttpRequestLike {
    const end = this.text.indexOf(endOfHead);
    const [first = "", ...lines] = this.text.slice(0, end).split("\r\n");
    const [method = "", path = ""] = first.split(" ");
    const entries = lines.map((line) => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)] as const;
    });
    const headers = Object.fromEntries(entries.filter(([name]) => name !== ofConnection));
    return { ...this.place, method, path, headers, body: this.text.slice(end + endOfHead.length) };
  }
}
