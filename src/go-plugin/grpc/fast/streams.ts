/**
 * The HTTP/2 server inside a grpc-js server, for who wants to see its streams first. grpc-js has no public way to it, so what
 * is expected is checked here, and where it is not so there is no access: a test fails then, and calls stay with grpc-js.
 */
import { EventEmitter } from "node:events";
import type { Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { Server } from "@grpc/grpc-js";

/** What an HTTP/2 server tells of a new stream: stream, headers, and more that only grpc-js may care for. */
export type StreamListener = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, ...more: unknown[]) => void;

export interface StreamAccess {
  /** @param wrap gets grpc-js's own listener, and gives the one that takes its place */
  replaceListener(wrap: (own: StreamListener) => StreamListener): void;
  /** Closes sessions that have had no stream for so long, as grpc-js does with those whose streams it has seen. */
  closeIdleSessions(limitMs: number): void;
}

/** Of a server with one connection injector and no session yet; undefined when grpc-js is made in another way. */
export function accessStreams(server: Server): StreamAccess | undefined {
  const servers: unknown = Reflect.get(server, "http2Servers");
  if (!(servers instanceof Map) || servers.size !== 1) return undefined;
  const [inner]: unknown[] = [...servers.keys()];
  if (!(inner instanceof EventEmitter)) return undefined;
  const [own, ...others] = inner.listeners("stream");
  if (own === undefined || others.length > 0) return undefined;
  return {
    replaceListener(wrap) {
      inner.removeAllListeners("stream");
      inner.on(
        "stream",
        wrap((...about) => void Reflect.apply(own, inner, about)),
      );
    },
    closeIdleSessions(limitMs) {
      inner.on("session", (session: Http2Session) => closeWhenIdle(session, limitMs));
    },
  };
}

function closeWhenIdle(session: Http2Session, limitMs: number): void {
  let openStreams = 0;
  let idleSince = Date.now();
  const timer = setTimeout(() => {
    // The last stream to close starts the timer again.
    if (openStreams > 0) return;
    if (Date.now() - idleSince < limitMs) timer.refresh();
    else if (!session.closed) session.close();
  }, limitMs).unref();
  const onStreamClose = (): void => {
    openStreams -= 1;
    if (openStreams > 0) return;
    idleSince = Date.now();
    timer.refresh();
  };
  session.on("stream", (stream) => {
    openStreams += 1;
    stream.once("close", onStreamClose);
  });
  session.once("close", () => clearTimeout(timer));
}
