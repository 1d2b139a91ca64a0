/**
 * A client of AWS's JSON protocol that costs next to nothing: requests are bytes made beforehand, with the headers that
 * the AWS SDK for JavaScript sends, and of an answer it reads where it ends.
 */
import { connect, type Socket } from "node:net";

/** A server under load. */
export interface Target {
  readonly host: string;
  readonly port: number;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The request of one call, whole. */
export function requestBytes({ host, port }: Target, operation: string, input: object): Buffer {
  const body = JSON.stringify(input);
  const head = [
    "POST / HTTP/1.1",
    "content-type: application/x-amz-json-1.1",
    `x-amz-target: TrentService.${operation}`,
    "x-amz-user-agent: aws-sdk-js/3.1164.0",
    "user-agent: aws-sdk-js/3.1164.0 ua/2.1 os/linux#6.1.0 lang/js md/nodejs#20.19.0 api/kms#3.1164.0 m/E,N,n",
    `host: ${host}:${port}`,
    "amz-sdk-invocation-id: 2f1f3b0c-6f0f-4a6e-9f0e-1f5d2a3b4c5d",
    "amz-sdk-request: attempt=1; max=3",
    "x-amz-date: 20260101T000000Z",
    `x-amz-content-sha256: ${"0".repeat(64)}`,
    `authorization: AWS4-HMAC-SHA256 Credential=test/20260101/eu-west-2/kms/aws4_request, SignedHeaders=amz-sdk-invocation-id;amz-sdk-request;content-type;host;x-amz-content-sha256;x-amz-date;x-amz-target;x-amz-user-agent, Signature=${"0".repeat(64)}`,
    "connection: keep-alive",
    `content-length: ${Buffer.byteLength(body)}`,
  ].join("\r\n");
  return Buffer.from(`${head}\r\n\r\n${body}`);
}

/** One connection, one request at a time. */
export class Connection {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #settle: ((answer: Answer) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  constructor(target: Target) {
    this.#socket = connect(target.port, target.host).setNoDelay(true);
    this.#socket.on("data", (chunk: Buffer) => this.#read(chunk));
    this.#socket.on("error", (error) => this.#fail?.(error));
    this.#socket.on("close", () => this.#fail?.(new Error("the server closed the connection")));
  }

  send(request: Buffer): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#fail = undefined;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.toString("latin1", 0, headEnd);
    const length = /content-length: *(\d+)/i.exec(head)?.[1];
    const end = length === undefined ? this.#endOfChunks(headEnd + 4) : headEnd + 4 + Number(length);
    if (end === undefined || this.#received.length < end) return;
    const answer = { status: Number(head.slice(9, 12)), body: this.#received.toString("utf8", headEnd + 4, end) };
    this.#received = Buffer.alloc(0);
    this.#settle?.(answer);
  }

  /** Go sends answers of more than 2 KiB in chunks; the last one is empty. */
  #endOfChunks(from: number): number | undefined {
    const last = this.#received.indexOf("\r\n0\r\n\r\n", from - 2);
    return last < 0 ? undefined : last + 7;
  }
}

/** `count` requests over `connections` connections, taking turns with `requests`. Throws at the first answer but 200. */
export async function load(target: Target, requests: readonly Buffer[], count: number, connections = 4): Promise<void> {
  let next = 0;
  const run = async () => {
    const connection = new Connection(target);
    try {
      while (next < count) {
        const request = requests[next++ % requests.length];
        if (request === undefined) throw new Error("no requests to send");
        const { status, body } = await connection.send(request);
        if (status !== 200) throw new Error(`HTTP ${status}: ${body}`);
      }
    } finally {
      connection.close();
    }
  };
  await Promise.all(Array.from({ length: connections }, run));
}

/** One call over a connection of its own, and its output. */
export async function call(target: Target, operation: string, input: object): Promise<Record<string, unknown>> {
  const connection = new Connection(target);
  try {
    const { status, body } = await connection.send(requestBytes(target, operation, input));
    if (status !== 200) throw new Error(`${operation}: HTTP ${status}: ${body}`);
    const json = /^[0-9a-f]+\r\n/i.test(body)
      ? body.slice(body.indexOf("\r\n") + 2, body.lastIndexOf("\r\n0\r\n"))
      : body;
    return json === "" ? {} : (JSON.parse(json) as Record<string, unknown>);
  } finally {
    connection.close();
  }
}
