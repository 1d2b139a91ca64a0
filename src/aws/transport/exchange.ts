/** One request and its answer: time limits, the caller who gives up, and the second connection if the first was dead. */
import type { Cut } from "../calls/cut.ts";
import type { Connection, PlainAnswer, Recipient } from "./connection.ts";
import type { ConnectionPool } from "./connection-pool.ts";
import { answerOf, type Replay } from "./replay.ts";
import { type Answer, PlainResponse, type Request, type WireRequest } from "./wire-request.ts";

export interface ExchangeOptions {
  readonly request: WireRequest;
  readonly pool: ConnectionPool;
  readonly cut: Cut;
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
      const { cut, timeoutMs } = this.#options;
      if (cut.isCut) {
        this.#connection = connection;
        return this.#aborted();
      }
      cut.onCut = this.#aborted;
      this.#timer = setTimeout(this.#timedOut, timeoutMs);
      this.#send(connection);
    });
  }

  answered({ head, body }: PlainAnswer): void {
    this.#end();
    this.#resolve({ response: new PlainResponse(head, body) } as unknown as Answer);
  }

  handedOver(replay: Replay): void {
    this.#connection = undefined;
    const { request, cut, timeoutMs } = this.#options;
    const leftMs = () => this.#startedAt + timeoutMs - performance.now();
    clearTimeout(this.#connectTimer);
    // The time limit goes on until the answer's head is there.
    this.#onTimeout = () => replay.destroy();
    answerOf(replay, request.toHttpRequest() as Request, cut.signal, leftMs).then(
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
    connection.send(request, this);
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
    this.#options.cut.onCut = undefined;
  }
}
