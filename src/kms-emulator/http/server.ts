/** The HTTP server of all services. */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from "node:http";
import type { Engine } from "../engine/engine.ts";
import { EmulatorError } from "../errors.ts";
import { AwsException } from "../exceptions.ts";
import { isRegionName } from "../identifiers.ts";
import { type AuthenticationRules, authenticate } from "./authenticate.ts";
import { readBody } from "./body.ts";
import { regionOfHost, scopeOf } from "./credential-scope.ts";
import { kmsJson } from "./kms-json.ts";
import { answerOf, type HttpAnswer } from "./reply.ts";
import { type RequestParts, type Route, routeOf } from "./route.ts";
import { readSignature, type Signature } from "./sigv4.ts";

/** The Region that a request is for: its host's, its signature's, or the emulator's own. */
function regionOf(engine: Engine, { headers, query }: RequestParts, signed: Signature): string {
  const scope = typeof signed === "object" ? signed.scope : scopeOf(headers, query);
  const region = regionOfHost(headers.host ?? "") || scope?.region;
  return region !== undefined && isRegionName(region) ? region : engine.defaultRegion;
}

/** Signatures cover the decoded path; one that cannot be decoded is taken as it is. */
function decodedPath(url: string): string {
  if (url === "/") return url;
  const path = url.split("?", 1)[0] ?? "/";
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

const noQuery = new URLSearchParams();
const empty = Buffer.alloc(0);

const queryOf = (url: string): URLSearchParams => {
  const mark = url.indexOf("?");
  return mark < 0 ? noQuery : new URLSearchParams(url.slice(mark + 1));
};

/** What policies ask of the sender: its address, an IPv4 one as such, and what it calls itself. */
const originOf = ({ socket, headers }: IncomingMessage) => ({
  sourceIp: (socket.remoteAddress ?? "127.0.0.1").replace(/^::ffff:(?=\d+\.)/, ""),
  userAgent: headers["user-agent"] ?? "",
});

/** Reads, routes and carries out one request. */
async function handle(
  engine: Engine,
  rules: AuthenticationRules,
  request: IncomingMessage,
  requestId: string,
): Promise<HttpAnswer | "lost" | "reset"> {
  const url = request.url ?? "/";
  const { method = "", headers } = request;
  const query = queryOf(url);
  let route: Route | undefined;
  try {
    const body = await readBody(request);
    const parts = { method, headers, query, body, path: decodedPath(url) };
    route = routeOf(parts);
    const { operation, input } = route.read();
    const signed = readSignature(parts);
    const region = regionOf(engine, parts, signed);
    const caller = authenticate(engine, rules, parts, signed, operation, region);
    const pending = engine.execute({
      operation: operation.name,
      input,
      region,
      caller,
      requestId,
      origin: originOf(request),
    });
    const reply = pending instanceof Promise ? await pending : pending;
    return answerOf(route.format, operation.name, reply, requestId);
  } catch (error) {
    if (error instanceof EmulatorError && error.code === "CONNECTION_RESET") return "lost";
    if (!(error instanceof AwsException)) throw error;
    // A body that could not be read leaves the headers to tell in whose words to refuse it.
    const { format } = route ?? routeOf({ method, headers, query, body: empty });
    return { ...format.exception(error, requestId), isLast: error.status === 413 || error.status === 415 };
  }
}

/** HTTP's dates have no fractions of a second. */
let lastDate = { second: Number.NaN, text: "" };

function httpDate(nowMs: number): string {
  const second = Math.floor(nowMs / 1000);
  if (second !== lastDate.second) lastDate = { second, text: new Date(nowMs).toUTCString() };
  return lastDate.text;
}

function send(engine: Engine, response: ServerResponse, answer: HttpAnswer, requestId: string): void {
  const headers = [
    "x-amzn-RequestId",
    requestId,
    "Content-Type",
    answer.contentType,
    "Content-Length",
    String(Buffer.byteLength(answer.body)),
    // Clients learn the clock skew from this header, so it shows the emulator's time, not the host's.
    "Date",
    httpDate(engine.clock.now()),
  ];
  if (answer.errorType !== undefined) headers.push("x-amzn-ErrorType", answer.errorType);
  if (answer.isLast) headers.push("Connection", "close");
  response.writeHead(answer.status, headers);
  response.end(answer.body);
}

async function serve(
  engine: Engine,
  rules: AuthenticationRules,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const requestId = engine.random.uuid();
  response.sendDate = false;
  const answer = await handle(engine, rules, request, requestId).catch((error: unknown): HttpAnswer => {
    const message = error instanceof Error ? error.message : String(error);
    return kmsJson.exception(new AwsException("InternalFailure", message), requestId);
  });
  if (answer === "reset") request.socket.resetAndDestroy();
  else if (answer === "lost") request.socket.destroy();
  else if (!response.destroyed) send(engine, response, answer, requestId);
}

/** Makes a server of node:http, or one of node:https that has its certificate. */
export type ServerMaker = (options: ServerOptions, listener: RequestListener) => Server;

/** The server of all services; not yet listening. */
export function createAwsServer(
  engine: Engine,
  rules: AuthenticationRules,
  requestTimeoutMs: number,
  make: ServerMaker = createServer,
): Server {
  const options = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.max(Math.min(requestTimeoutMs / 4, 5_000), 50),
    // Longer than the clients' own, so that they never write into a connection that we are closing.
    keepAliveTimeout: 90_000,
    noDelay: true,
  };
  return make(options, (request, response) => {
    // What cannot be put into an HTTP answer, such as an injected status of 7, ends the connection and nothing more.
    serve(engine, rules, request, response).catch(() => request.socket.destroy());
  });
}
