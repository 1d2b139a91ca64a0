/** Calls with streams, as async iterables: what grpc-js gives as Node's streams. */
import { create, type DescMessage, type DescMethod, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import type { Client, ClientDuplexStream, ClientReadableStream, ClientWritableStream } from "@grpc/grpc-js";
import { clientStatus } from "./client-status.ts";
import { toMethodDefinition } from "./method-definition.ts";
import { GrpcStatusError } from "./status-error.ts";

/** As every call has them. */
interface StreamOptions {
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

type Requests = AsyncIterable<MessageInitShape<DescMessage>> | Iterable<MessageInitShape<DescMessage>>;

/** A call of grpc-js in any of its forms. */
interface Cancellable {
  cancel(): void;
}

/** A function that opens a stream of answers. The call is made when the first answer is asked for, and ends with the loop. */
export function serverStreamingCall(client: Client, method: DescMethod) {
  return (request: MessageInitShape<DescMessage>, options: StreamOptions = {}): AsyncIterable<Message> =>
    answersOf(client, method, options, (path, serialize, deserialize, deadline) =>
      client.makeServerStreamRequest(path, serialize, deserialize, create(method.input, request), deadline),
    );
}

/** A function that opens a stream both ways. Requests are taken one by one, as the peer takes them. */
export function duplexCall(client: Client, method: DescMethod) {
  return (requests: Requests, options: StreamOptions = {}): AsyncIterable<Message> =>
    answersOf(client, method, options, (path, serialize, deserialize, deadline) => {
      const call = client.makeBidiStreamRequest(path, serialize, deserialize, deadline);
      void send(call, method, requests);
      return call;
    });
}

/** A function that sends a stream of requests and waits for the one answer. */
export function clientStreamingCall(client: Client, method: DescMethod) {
  const { path, requestSerialize, responseDeserialize } = toMethodDefinition(method);
  const name = path.slice(1);
  return (requests: Requests, options: StreamOptions = {}): Promise<Message> =>
    new Promise((resolve, reject) => {
      const forget = { now: (): void => undefined };
      const call = client.makeClientStreamRequest<Message, Message>(
        path,
        requestSerialize,
        responseDeserialize,
        deadlineOf(options),
        (error, response) => {
          forget.now();
          if (error !== null) reject(clientStatus(name, error));
          else if (response !== undefined) resolve(response);
          else reject(new GrpcStatusError(name, "INTERNAL", "neither an answer nor an error"));
        },
      );
      forget.now = cancelOnAbort(call, options.signal);
      void send(call, method, requests);
    });
}

type Open = (
  path: string,
  serialize: (message: Message) => Buffer,
  deserialize: (bytes: Buffer) => Message,
  options: { readonly deadline?: number },
) => ClientReadableStream<Message> | ClientDuplexStream<Message, Message>;

async function* answersOf(
  client: Client,
  method: DescMethod,
  options: StreamOptions,
  open: Open,
): AsyncGenerator<Message> {
  const { path, requestSerialize, responseDeserialize } = toMethodDefinition(method);
  const name = path.slice(1);
  if (options.signal?.aborted === true) {
    throw new GrpcStatusError(name, "CANCELLED", "cancelled before it was sent", { cause: options.signal.reason });
  }
  const call = open.call(client, path, requestSerialize, responseDeserialize, deadlineOf(options));
  const forget = cancelOnAbort(call, options.signal);
  try {
    for await (const answer of call) yield answer as Message;
  } catch (error) {
    throw clientStatus(name, error as Error);
  } finally {
    forget();
    // A reader that leaves early ends the call; one that is over does not mind.
    call.on("error", () => undefined);
    call.cancel();
  }
}

const deadlineOf = ({ timeoutMs }: StreamOptions): { readonly deadline?: number } =>
  timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };

/** @returns what ends the watch */
function cancelOnAbort(call: Cancellable, signal: AbortSignal | undefined): () => void {
  const cancel = (): void => call.cancel();
  if (signal?.aborted === true) cancel();
  signal?.addEventListener("abort", cancel, { once: true });
  return () => signal?.removeEventListener("abort", cancel);
}

/** A source of requests that fails cancels the call; one that is not read to its end is closed. */
async function send(
  call: ClientWritableStream<Message> | ClientDuplexStream<Message, Message>,
  method: DescMethod,
  requests: Requests,
): Promise<void> {
  let isOver = false;
  const over = new Promise<void>((resolve) => {
    const end = (): void => {
      isOver = true;
      resolve();
    };
    call.once("status", end).once("error", end).once("close", end);
  });
  try {
    for await (const request of requests) {
      if (isOver) return;
      const isFull = !call.write(create(method.input, request));
      if (isFull) await Promise.race([over, new Promise((resolve) => call.once("drain", resolve))]);
    }
    call.end();
  } catch {
    call.cancel();
  }
}
