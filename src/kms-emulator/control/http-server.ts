/** The HTTP server of the control plane. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { EmulatorError } from "../errors.ts";
import { readBody } from "../http/body.ts";
import { type ControlAnswer, type ControlRoutes, controlFailure } from "./http-routes.ts";

/** A dump of the state can be large. */
const maxControlBytes = 1024 * 1024 * 1024;

async function readJson(request: IncomingMessage): Promise<unknown> {
  const body = await readBody(request, maxControlBytes);
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString()) as unknown;
  } catch (cause) {
    throw new EmulatorError("INVALID_OPTION", "the body is not JSON", { cause });
  }
}

async function answer(routes: ControlRoutes, request: IncomingMessage): Promise<ControlAnswer> {
  const url = new URL(request.url ?? "/", "http://control");
  const path = url.pathname.split("/").filter((segment) => segment !== "");
  const body = await readJson(request);
  return routes.answer({ method: request.method ?? "", path, query: url.searchParams, body });
}

async function serve(routes: ControlRoutes, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { status, body } = await answer(routes, request).catch(controlFailure);
  if (response.destroyed) return;
  const text = `${JSON.stringify(body)}\n`;
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(text) });
  response.end(text);
}

/** The HTTP server of the control plane; not yet listening. */
export function createControlServer(routes: ControlRoutes): Server {
  return createServer({ requestTimeout: 60_000, noDelay: true }, (request, response) => {
    serve(routes, request, response).catch(() => request.socket.destroy());
  });
}
