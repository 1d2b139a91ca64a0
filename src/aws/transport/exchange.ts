/** One request and its answer: time limits, the caller who gives up, and the second connection if the first was dead. */
import type { NodeHttpHandler } from "@smithy/node-http-handler";
import type { Connection, PlainAnswer, Recipient } from "./connection.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { answerOf, type Replay } from "./replay.ts";

type Handle = NodeHttpHandler["handle"];
type Request = Parameters<Handle>[0];
type Answer = Awaited<ReturnType<Handle>>;

export interface ExchangeOptions {
  readonly request: Request;
  readonly pool: ConnectionPool;
  readonly signal: AbortSignal | undefined;
  readonly connectionTimeoutMs: number;
  readonly timeoutMs: number;
}

/** In the words of the SDK's handler, by which `aws-error.ts` knows what has been sent. */
const named = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name, ...more });
const aborted = () => named("AbortError", "Request aborted");
const exceeded = (ms: number) =>
  named(
    "TimeoutError",
    `@smithy/node-http-handler - [ERROR] a request has exceeded the configured ${ms} ms requestTimeout.`,
    { code: "ETIMEDOUT" },
  );
const unconnected = (ms: number) =>
  named(
    "TimeoutError",
    `@smithy/node-http-handler - the request socket did not establish a connection with the server within the configured timeout of ${ms} ms.`,
  );

const isOfSocket = (error: Error): boolean =>
  ["ECONNRESET", "EPIPE", "ETIMEDOUT"].includes(String(Reflect.get(error, "code")));

/** As the SDK's handler names a socket's failures. */
const ofSocket = (error: Error): Error => (isOfSocket(error) ? Object.assign(error, { name: "TimeoutError" }) : error);

const headers = (request: Request): string => {
  let text = `${request.method} ${request.path} HTTP/1.1\r\n`;
  for (const name in request.headers) text += `${name}: ${request.headers[name]}\r\n`;
  return `${text}connection: keep-alive\r\n\r\n`;
};

const bytesOf = (request: Request): Buffer => {
  const head = headers(request);
  const body = String(request.body);
  const bytes = Buffer.allocUnsafe(head.length + Buffer.byteLength(body));
  bytes.write(body, bytes.write(head, "latin1"), "utf8");
  return bytes;
};

export class Exchange implements Recipient {
  readonly #options: ExchangeOptions;
  readonly #startedAt = performance.now();
  #connection: Connection | undefined;
  #isSecondTry = false;
  #timer: NodeJS.Timeout | undefined;
  #connectTimer: NodeJS.Timeout | undefined;
  #resolve: (answer: Answer) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  run(connection: Connection): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      const { signal, timeoutMs } = this.#options;
      this.#connection = connection;
      if (signal?.aborted) return this.#aborted();
      signal?.addEventListener("abort", this.#aborted, { once: true });
      this.#timer = setTimeout(this.#timedOut, timeoutMs);
      this.#send(connection);
    });
  }

  answered({ head, body }: PlainAnswer): void {
    this.#end();
    const { statusCode, reason, headers } = head;
    this.#resolve({ response: { statusCode, reason, headers, body } } as unknown as Answer);
  }

  handedOver(replay: Replay): void {
    this.#connection = undefined;
    const { request, signal, timeoutMs } = this.#options;
    const leftMs = () => this.#startedAt + timeoutMs - performance.now();
    clearTimeout(this.#connectTimer);
    // The time limit goes on until the answer's head is there.
    this.#onTimeout = () => replay.destroy();
    answerOf(replay, request, signal, leftMs).then(
      (answer) => {
        this.#end();
        this.#resolve(answer);
      },
      (error: Error) => this.#fail(error),
    );
  }

  unsent(error: Error): void {
    const connection = this.#isSecondTry || !isOfSocket(error) ? undefined : this.#options.pool.fresh();
    if (connection === undefined) return void this.#fail(ofSocket(error));
    this.#isSecondTry = true;
    this.#send(connection);
  }

  #send(connection: Connection): void {
    const { request, connectionTimeoutMs } = this.#options;
    this.#connection = connection;
    if (!connection.isConnected) {
      clearTimeout(this.#connectTimer);
      this.#connectTimer = setTimeout(() => {
        if (!connection.isConnected) this.#fail(unconnected(connectionTimeoutMs));
      }, connectionTimeoutMs);
    }
    connection.send(bytesOf(request), this);
  }

  readonly #aborted = (): void => this.#fail(aborted());

  #onTimeout: () => void = () => undefined;

  readonly #timedOut = (): void => {
    // The head's judge is told of the body's delay by the body itself.
    if (this.#connection?.hasHead) return void this.#connection.handOver(undefined);
    this.#onTimeout();
    this.#fail(exceeded(this.#options.timeoutMs));
  };

  #fail(error: Error): void {
    this.#end();
    this.#connection?.close();
    this.#reject(error);
  }

  #end(): void {
    clearTimeout(this.#timer);
    clearTimeout(this.#connectTimer);
    this.#options.signal?.removeEventListener("abort", this.#aborted);
  }
}
