/** Which streams are answered without grpc-js, and which never could be. */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { HandlerScope } from "../grpc-handler.ts";
import type { AnyHandler, ServiceRegistration } from "../grpc-service.ts";
import { FastCall, type FastMethod } from "./fast-call.ts";
import type { StreamListener } from "./streams.ts";
import { parseTimeout } from "./timeout.ts";

/** A method of the fast path, and whether it is taken just now. */
interface FastRoute extends FastMethod {
  readonly isOn: () => boolean;
}

/** By path. */
export type FastRoutes = ReadonlyMap<string, FastRoute>;

/** The methods that registrations want on the fast path. @param handlerOf by service and method */
export function fastRoutes(
  registrations: readonly ServiceRegistration[],
  handlerOf: (registration: ServiceRegistration, methodName: string) => AnyHandler,
  scope: HandlerScope,
): FastRoutes {
  const routes = new Map<string, FastRoute>();
  for (const registration of registrations) {
    const { service, fast } = registration;
    for (const method of service.methods) {
      if (fast === undefined || !fast.methods.includes(method.localName)) continue;
      if (method.methodKind !== "unary") throw new TypeError(`${method.name} is not unary, and so never fast`);
      const handler = handlerOf(registration, method.localName);
      routes.set(`/${service.typeName}/${method.name}`, { method, handler, scope, isOn: fast.isOn });
    }
  }
  return routes;
}

/** Takes the plain calls of the routes; every other stream goes to grpc-js untouched. */
export function withFastRoutes(routes: FastRoutes, own: StreamListener): StreamListener {
  return (stream, headers, ...more) => {
    const route = routes.get(headers[":path"] ?? "");
    if (route === undefined || !route.isOn() || !isPlain(stream, headers)) return own(stream, headers, ...more);
    const timeout = headers["grpc-timeout"];
    const timeoutMs = timeout === undefined ? undefined : parseTimeout(String(timeout));
    if (timeout !== undefined && timeoutMs === undefined) return own(stream, headers, ...more);
    new FastCall(stream, headers, route, (handedOn) => own(stream, handedOn, ...more)).start(timeoutMs);
  };
}

/** A request without compression that is still to have a body. */
function isPlain(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
  const encoding = headers["grpc-encoding"];
  return (
    headers[":method"] === "POST" &&
    headers["content-type"]?.startsWith("application/grpc") === true &&
    (encoding === undefined || encoding === "identity") &&
    !stream.endAfterHeaders
  );
}
