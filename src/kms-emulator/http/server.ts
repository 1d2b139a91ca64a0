/** The HTTP server of all services. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
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

function regionOf(engine: Engine, request: IncomingMessage, scopeRegion: string | undefined): string {
  const region = regionOfHost(request.headers.host) ?? scopeRegion;
  return region !== undefined && isRegionName(region) ? region : engine.defaultRegion;
}

/** Signatures cover the decoded path; one that cannot be decoded is taken as it is. */
function decodedPath(url: string): string {
  const path = url.split("?", 1)[0] ?? "/";
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Reads, routes and carries out one request. */
async function handle(
  engine: Engine,
  rules: AuthenticationRules,
  request: IncomingMessage,
  requestId: string,
): Promise<HttpAnswer | "lost" | "reset"> {
  const url = request.url ?? "/";
  const query = new URLSearchParams(url.includes("?") ? url.slice(url.indexOf("?") + 1) : "");
  const headersOnly: RequestParts = { method: request.method ?? "", headers: request.headers, query, body: empty };
  let route: Route = routeOf(headersOnly);
  try {
    const body = await readBody(request);
    route = routeOf({ ...headersOnly, body });
    const { operation, input } = route.read();
    const region = regionOf(engine, request, scopeOf(request.headers, query)?.region);
    const canonical = { ...headersOnly, body, path: decodedPath(url) };
    const caller = authenticate(engine, rules, canonical, operation, region);
    const reply = await engine.execute({ operation: operation.name, input, region, caller, requestId });
    return answerOf(route.format, operation.name, reply, requestId);
  } catch (error) {
    if (error instanceof EmulatorError && error.code === "CONNECTION_RESET") return "lost";
    if (!(error instanceof AwsException)) throw error;
    return { ...route.format.exception(error, requestId), isLast: error.status === 413 || error.status === 415 };
  }
}

const empty = Buffer.alloc(0);

function send(engine: Engine, response: ServerResponse, answer: HttpAnswer, requestId: string): void {
  const headers: Record<string, string | number> = {
    "x-amzn-RequestId": requestId,
    "Content-Type": answer.contentType,
    "Content-Length": Buffer.byteLength(answer.body),
    // Clients learn the clock skew from this header, so it shows the emulator's time, not the host's.
    Date: new Date(engine.clock.now()).toUTCString(),
    ...(answer.errorType === undefined ? {} : { "x-amzn-ErrorType": answer.errorType }),
    ...(answer.isLast ? { Connection: "close" } : {}),
  };
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

/** The HTTP server of all services; not yet listening. */
export function createAwsServer(engine: Engine, rules: AuthenticationRules, requestTimeoutMs: number): Server {
  const server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.max(Math.min(requestTimeoutMs / 4, 5_000), 50),
      // Longer than the clients' own, so that they never write into a connection that we are closing.
      keepAliveTimeout: 90_000,
      noDelay: true,
    },
    (request, response) => {
      // What cannot be put into an HTTP answer, such as an injected status of 7, ends the connection and nothing more.
      serve(engine, rules, request, response).catch(() => request.socket.destroy());
    },
  );
  return server;
}
