/**
 * One unary call, answered without grpc-js: a request that is one whole message in one piece of data. Whatever else a
 * stream brings is handed to grpc-js as it came, so that all that is odd has one judge. What the caller sees is the same,
 * byte for byte.
 */
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { create, type DescMethod, fromBinary, type Message, toBinary } from "@bufbuild/protobuf";
import { cancelReason, ServerCallContext } from "../call-context.ts";
import type { HandlerScope } from "../grpc-handler.ts";
import type { AnyHandler } from "../grpc-service.ts";
import { statusFor } from "../server-status.ts";
import { statusCodes } from "../status-code.ts";
import { formatTimeout } from "./timeout.ts";

/** A method that is served this way. */
export interface FastMethod {
  readonly method: DescMethod;
  readonly handler: AnyHandler;
  readonly scope: HandlerScope;
}

/** Passes the stream on to grpc-js. */
export type HandOver = (headers: IncomingHttpHeaders) => void;

const responseType = { ":status": 200, "content-type": "application/grpc+proto" } as const;
const responseHeaders = {
  ...responseType,
  // What grpc-js says of itself, and of the requests that it takes over from here.
  "grpc-accept-encoding": "identity,deflate,gzip",
  "grpc-encoding": "identity",
} as const;
const okTrailers = statusHeaders(statusCodes.OK, "OK");

/** Compression flag and length before each message. */
const prefixLength = 5;

function statusHeaders(code: number, details: string): OutgoingHttpHeaders {
  return { "grpc-status": code, "grpc-message": encodeURI(details) };
}

function isOneMessage(chunk: Buffer): boolean {
  return chunk.length >= prefixLength && chunk.readUInt32BE(1) === chunk.length - prefixLength;
}

function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(prefixLength + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, prefixLength);
  return framed;
}

export class FastCall {
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #served: FastMethod;
  readonly #handOver: HandOver;
  #data: Buffer | undefined;
  #request: Message | undefined;
  #deadline: number | undefined;
  #deadlineTimer: NodeJS.Timeout | undefined;
  #context: ServerCallContext | undefined;
  #hasAnswer = false;
  #isOver = false;
  #trailers = okTrailers;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, served: FastMethod, handOver: HandOver) {
    this.#stream = stream;
    this.#headers = headers;
    this.#served = served;
    this.#handOver = handOver;
  }

  /** @param timeoutMs how long the caller waits; undefined: without a limit */
  start(timeoutMs: number | undefined): void {
    if (timeoutMs !== undefined) {
      this.#deadline = Date.now() + timeoutMs;
      this.#deadlineTimer = setTimeout(() => this.#onDeadline(), timeoutMs);
    }
    this.#stream
      // What breaks a stream closes it, too.
      .on("error", () => undefined)
      .on("data", this.#onData)
      .on("end", this.#onEnd)
      .on("close", this.#onClose);
  }

  readonly #onData = (chunk: Buffer): void => {
    if (this.#isOver) return;
    if (this.#data !== undefined || !isOneMessage(chunk)) {
      this.#giveUp(chunk);
      return;
    }
    this.#data = chunk;
    try {
      // A compression flag without grpc-encoding means nothing to grpc-js.
      this.#request = fromBinary(this.#served.method.input, chunk.subarray(prefixLength));
    } catch {
      this.#endWith(statusCodes.INTERNAL, "Error deserializing request");
    }
  };

  readonly #onEnd = (): void => {
    if (this.#isOver) return;
    const { parent, name } = this.#served.method;
    if (this.#request !== undefined) void this.#run(this.#request);
    else {
      const path = `/${parent.typeName}/${name}`;
      // The words are grpc-js's, for methods of every kind.
      const details = `Received no request message for server streaming method ${path}`;
      this.#endWith(statusCodes.UNIMPLEMENTED, details);
    }
  };

  readonly #onClose = (): void => {
    this.#end();
    this.#cancel();
  };

  #onDeadline(): void {
    this.#endWith(statusCodes.DEADLINE_EXCEEDED, "Deadline exceeded");
    this.#end();
    this.#cancel();
  }

  #giveUp(chunk: Buffer): void {
    this.#end();
    const stream = this.#stream;
    stream.off("data", this.#onData).off("end", this.#onEnd).off("close", this.#onClose);
    stream.unshift(this.#data === undefined ? chunk : Buffer.concat([this.#data, chunk]));
    const leftMs = this.#deadline === undefined ? undefined : Math.max(this.#deadline - Date.now(), 0);
    this.#handOver(leftMs === undefined ? this.#headers : { ...this.#headers, "grpc-timeout": formatTimeout(leftMs) });
  }

  async #run(request: Message): Promise<void> {
    const { method, handler, scope } = this.#served;
    const deadline = this.#deadline === undefined ? undefined : new Date(this.#deadline);
    const context = new ServerCallContext(`${method.parent.typeName}/${method.name}`, deadline, scope.log);
    this.#context = context;
    scope.calls.start(context);
    try {
      this.#answer(create(method.output, (await handler(request, context)) as Message));
    } catch (error) {
      const { code, details } = statusFor(error, context);
      this.#endWith(code, details);
    } finally {
      scope.calls.end(context);
    }
  }

  #answer(message: Message): void {
    if (!this.#canSend()) return;
    let body: Buffer;
    try {
      body = frame(toBinary(this.#served.method.output, message));
    } catch {
      this.#endWith(statusCodes.INTERNAL, "Error serializing response");
      return;
    }
    this.#hasAnswer = true;
    this.#stream.respond(responseHeaders, { waitForTrailers: true });
    this.#stream.once("wantTrailers", () => {
      this.#end();
      this.#stream.sendTrailers(this.#trailers);
    });
    this.#stream.end(body);
  }

  #endWith(code: number, details: string): void {
    if (!this.#canSend()) return;
    if (this.#hasAnswer) {
      // The peer has not taken the whole answer; trailers follow it.
      this.#trailers = statusHeaders(code, details);
      return;
    }
    this.#stream.respond({ ...statusHeaders(code, details), ...responseType }, { endStream: true });
    this.#end();
  }

  #canSend(): boolean {
    return !this.#isOver && !this.#stream.destroyed && !this.#stream.closed;
  }

  /** Nothing more is said, and what still comes is read and dropped. */
  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#deadlineTimer);
  }

  #cancel(): void {
    // A reason is dear, and most calls have ended when their stream closes.
    if (this.#context?.isOver === false) this.#context.cancel(cancelReason(this.#context.deadline));
  }
}
