/** A gRPC call as HTTP/2 has it, made by hand, so that it can be as odd as it likes; and all that came back. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import { connect as connectSocket } from "node:net";

export const signDataPath = "/spire.plugin.server.keymanager.v1.KeyManager/SignData";

export interface Answer {
  /** In the order of the wire; the date is left out. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  readonly rstCode: number;
  readonly error: string | undefined;
}

export function openSession(address: string, initialWindowSize?: number): ClientHttp2Session {
  const session = connect("http://unused", {
    createConnection: () => connectSocket(address),
    ...(initialWindowSize === undefined ? {} : { settings: { initialWindowSize } }),
  });
  session.on("error", () => undefined);
  return session;
}

export function openCall(
  session: ClientHttp2Session,
  headers: Readonly<Record<string, string | string[] | undefined>> = {},
  endStream = false,
): ClientHttp2Stream {
  const all = {
    ":method": "POST",
    ":path": signDataPath,
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  };
  const given = Object.entries(all).filter(([, value]) => value !== undefined);
  const stream = session.request(Object.fromEntries(given), { endStream });
  stream.on("error", () => undefined);
  return stream;
}

/** Everything that comes back on a stream, once it has closed. */
export function answerOf(stream: ClientHttp2Stream): Promise<Answer> {
  const chunks: Buffer[] = [];
  let headers: readonly string[] = [];
  let trailers: readonly string[] = [];
  let error: string | undefined;
  stream.on("response", (_headers, _flags, ...more: unknown[]) => {
    headers = pairs(more[0], _headers);
  });
  stream.on("trailers", (_headers, _flags, ...more: unknown[]) => {
    trailers = pairs(more[0], _headers);
  });
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  stream.on("error", (reason: NodeJS.ErrnoException) => {
    error = reason.code;
  });
  // A request may be without an end until it is answered.
  stream.once("end", () => stream.end());
  return new Promise((resolve) => {
    stream.once("close", () => {
      const body = Buffer.concat(chunks).toString("base64");
      resolve({ headers, body, trailers, rstCode: stream.rstCode, error });
    });
  });
}

/** Node hands out the raw list as a third argument that its types do not tell of. */
function pairs(raw: unknown, headers: IncomingHttpHeaders): readonly string[] {
  const list = Array.isArray(raw) ? (raw as string[]) : Object.entries(headers).flat().map(String);
  const names = list.filter((_text, index) => index % 2 === 0);
  return names.map((name, index) => `${name}: ${list[2 * index + 1]}`).filter((line) => !line.startsWith("date: "));
}
