/**
 * The SDK's HTTP handler with a bound on answers.
 *
 * The SDK's own time limit ends when the headers are there, and it reads a body of any size to its end: something that is
 * not KMS could hold a call, or fill the memory, for ever.
 */
import type { IncomingMessage } from "node:http";
import { pipeline, type Readable, Transform } from "node:stream";
import { NodeHttpHandler, type NodeHttpHandlerOptions } from "@smithy/node-http-handler";

/** KMS's largest answers, pages of aliases or keys, stay below 100 kB. */
const maxBodyBytes = 4 * 1024 * 1024;

type Handle = NodeHttpHandler["handle"];

const failure = (name: string, message: string) => Object.assign(new Error(message), { name });

export class BoundedHttpHandler extends NodeHttpHandler {
  readonly #timeoutMs: number;

  /** @param options `requestTimeout` is the limit for the whole exchange, the answer's body included */
  constructor(options: NodeHttpHandlerOptions & { readonly requestTimeout: number }) {
    super(options);
    this.#timeoutMs = options.requestTimeout;
  }

  override async handle(...[request, options]: Parameters<Handle>): ReturnType<Handle> {
    const startedAt = performance.now();
    const timeoutMs = options?.requestTimeout ?? this.#timeoutMs;
    const answer = await super.handle(request, options);
    answer.response.body = bounded(answer.response.body, startedAt + timeoutMs - performance.now());
    return answer;
  }
}

/** The body, which breaks off when it takes too long or grows too large; whoever reads it gets the error. */
export function bounded(body: IncomingMessage, leftMs: number): Readable {
  const timer = setTimeout(
    () => body.destroy(failure("TimeoutError", "the answer did not come to its end in time")),
    Math.max(0, leftMs),
  );
  timer.unref();
  body.once("close", () => clearTimeout(timer));
  const announced = body.headers["content-length"];
  if (announced === undefined) return counted(body);
  if (Number(announced) > maxBodyBytes) body.destroy(tooLarge());
  return body;
}

const tooLarge = () => failure("AnswerTooLarge", `the answer has more than ${maxBodyBytes} bytes`);

/** A body whose length was not told. */
function counted(body: IncomingMessage): Readable {
  let bytes = 0;
  const counter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length;
      done(bytes > maxBodyBytes ? tooLarge() : null, chunk);
    },
  });
  // Errors reach the reader of the counter.
  pipeline(body, counter, () => undefined);
  return counter;
}
