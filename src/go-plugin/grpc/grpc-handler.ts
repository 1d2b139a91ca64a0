/** Handlers of ours, which take messages and return plain objects, in the form in which grpc-js calls them. */
import type { Readable } from "node:stream";
import { create, type DescMessage, type DescMethod, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import type {
  handleUnaryCall,
  ServerDuplexStream,
  ServerUnaryCall,
  ServerWritableStream,
  sendUnaryData,
  UntypedHandleCall,
  UntypedServiceImplementation,
} from "@grpc/grpc-js";
import type { Logger } from "../hclog/logger.ts";
import { type CallTracker, cancelReason, ServerCallContext } from "./call-context.ts";
import type { AnyHandler } from "./grpc-service.ts";
import { serializerOf } from "./method-definition.ts";
import { statusFor } from "./server-status.ts";
import { StatusError } from "./status-error.ts";

/** What the handlers of one server share. */
export interface HandlerScope {
  readonly log: Logger;
  readonly calls: CallTracker;
}

interface CommonCall {
  readonly cancelled: boolean;
  getDeadline(): Date | number;
  once(event: "cancelled", listener: () => void): unknown;
  off(event: "cancelled", listener: () => void): unknown;
}

/** The handlers of a service as grpc-js calls them, by method name. */
export function toGrpcHandlers(
  methods: readonly DescMethod[],
  handlerOf: (methodName: string) => AnyHandler,
  scope: HandlerScope,
): UntypedServiceImplementation {
  return Object.fromEntries(
    methods.map((method) => [method.localName, toGrpcHandler(method, handlerOf(method.localName), scope)]),
  );
}

function toGrpcHandler(method: DescMethod, handler: AnyHandler, scope: HandlerScope): UntypedHandleCall {
  const name = `${method.parent.typeName}/${method.name}`;
  const begin = (call: CommonCall): RunningCall => beginCall(call, name, scope);
  const serialize = serializerOf(method.output);
  /** grpc-js is given bytes and passes them on: see `toServiceDefinition`. */
  const toWire = (answer: unknown, { log }: ServerCallContext): Message => {
    try {
      return serialize(create(method.output, answer as MessageInitShape<DescMessage>)) as unknown as Message;
    } catch (error) {
      log.error("the handler's answer is no message of this method", { error });
      // The words are grpc-js's.
      throw new StatusError("INTERNAL", "Error serializing response");
    }
  };

  const answerOnce = async (
    call: ServerUnaryCall<Message, Message>,
    callback: sendUnaryData<Message>,
  ): Promise<void> => {
    const { context, end } = begin(call);
    const input = method.methodKind === "unary" ? call.request : requestsOf(call);
    try {
      callback(null, toWire(await handler(input, context), context));
    } catch (error) {
      callback(statusFor(error, context));
    } finally {
      end();
    }
  };

  const answerMany = async (call: ServerWritableStream<Message, Message>): Promise<void> => {
    const { context, end } = begin(call);
    const input = method.methodKind === "server_streaming" ? call.request : requestsOf(call);
    try {
      for await (const response of (await handler(input, context)) as AsyncIterable<unknown>) {
        // A call cancelled because the plugin stops still gets what is left to say.
        if (call.cancelled) break;
        if (!call.write(toWire(response, context))) await writable(call, context);
      }
      call.end();
    } catch (error) {
      call.emit("error", statusFor(error, context));
    } finally {
      end();
    }
  };

  const answer = method.methodKind === "unary" || method.methodKind === "client_streaming" ? answerOnce : answerMany;
  return answer as handleUnaryCall<Message, Message>;
}

/**
 * The requests of a call that has a stream of them: grpc-js's call is that stream. Iterating over the call itself would
 * destroy it after the last request, with the answers still to be written.
 */
function requestsOf(call: object): AsyncIterable<Message> {
  return (call as Readable).iterator({ destroyOnReturn: false });
}

interface RunningCall {
  readonly context: ServerCallContext;
  readonly end: () => void;
}

function beginCall(call: CommonCall, name: string, scope: HandlerScope): RunningCall {
  const deadline = call.getDeadline();
  const limit = typeof deadline === "number" ? (Number.isFinite(deadline) ? new Date(deadline) : undefined) : deadline;
  const context = new ServerCallContext(name, limit, scope.log);
  const cancel = (): void => context.cancel(cancelReason(limit));
  call.once("cancelled", cancel);
  if (call.cancelled) cancel();
  scope.calls.start(context);
  const end = (): void => {
    // grpc-js reports the end of every call as a cancellation too, and reasons are dear.
    call.off("cancelled", cancel);
    scope.calls.end(context);
  };
  return { context, end };
}

/** Resolves when the stream takes more, or when it has no reader any more. */
function writable(
  call: ServerDuplexStream<Message, Message> | ServerWritableStream<Message, Message>,
  context: ServerCallContext,
): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off("drain", done);
      call.off("close", done);
      context.signal.removeEventListener("abort", done);
      resolve();
    };
    call.once("drain", done);
    call.once("close", done);
    context.signal.addEventListener("abort", done);
    if (context.cancelReason !== undefined) done();
  });
}
