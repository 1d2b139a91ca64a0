/**
 * A connection on which something other than a plain answer came, handed over to Node's HTTP client as it is.
 *
 * The bytes so far are told again, and after them the end, the failure, or what still comes. So an answer that is not plain,
 * and a connection that breaks, are judged by the same code as those of the SDK's own requests, in the same words.
 */
import { Agent } from "node:http";
import { Duplex } from "node:stream";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { bounded } from "../calls/bounded-handler.ts";

type Handle = NodeHttpHandler["handle"];
type Answer = Awaited<ReturnType<Handle>>;

/** How a connection ended; undefined while it is open. */
export type End = "ended" | Error | undefined;

export class Replay extends Duplex {
  readonly #socket: Duplex;
  #received: Buffer | undefined;
  #end: End;
  #isListening = false;

  /** @param socket with no listeners but one for errors */
  constructor(socket: Duplex, received: Buffer, end: End) {
    super();
    this.#socket = socket;
    this.#received = received;
    this.#end = end;
  }

  override _read(): void {
    if (this.#received !== undefined && this.#received.length > 0) {
      const received = this.#received;
      this.#received = undefined;
      this.push(received);
    } else if (this.#end === undefined) this.#listen();
    // As on a socket, not before what was received has found its reader.
    else setImmediate(() => this.#finish());
  }

  #finish(): void {
    if (this.#end instanceof Error) this.destroy(this.#end);
    else this.push(null);
  }

  /** The request has been sent already. */
  override _write(_chunk: unknown, _encoding: unknown, done: () => void): void {
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  #listen(): void {
    if (this.#isListening) return void this.#socket.resume();
    this.#isListening = true;
    this.#socket
      .on("data", (chunk: Buffer) => {
        if (!this.push(chunk)) this.#socket.pause();
      })
      .once("end", () => this.push(null))
      .once("error", (error) => this.destroy(error))
      .once("close", () => this.destroy());
    this.#socket.resume();
  }
}

/** Gives one connection to one request. */
class OneConnection extends Agent {
  readonly #connection: Duplex;

  constructor(connection: Duplex) {
    super({ keepAlive: false });
    this.#connection = connection;
  }

  override createConnection(): Duplex {
    return this.#connection;
  }
}

const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/**
 * What Node and the SDK make of it.
 *
 * @param leftMs for the answer's body to come to its end
 */
export async function answerOf(
  replay: Replay,
  request: Parameters<Handle>[0],
  signal: AbortSignal | undefined,
  leftMs: () => number,
): Promise<Answer> {
  const handler = new NodeHttpHandler({ httpAgent: new OneConnection(replay), logger: silent });
  const plain = Object.assign(Object.create(Object.getPrototypeOf(request)), request, { protocol: "http:" });
  const answer = await handler.handle(plain, signal === undefined ? {} : { abortSignal: signal });
  answer.response.body = bounded(answer.response.body, leftMs());
  return answer;
}
