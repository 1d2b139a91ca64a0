/** How a service is written: a generated service paired with typed handlers. */
import type { DescMethod, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { CallContext } from "./call-context.ts";

type MaybePromise<T> = T | Promise<T>;

type Handler<Method extends DescMethod> = Method["methodKind"] extends "unary"
  ? (request: MessageShape<Method["input"]>, context: CallContext) => MaybePromise<MessageInitShape<Method["output"]>>
  : Method["methodKind"] extends "server_streaming"
    ? (
        request: MessageShape<Method["input"]>,
        context: CallContext,
      ) => AsyncIterable<MessageInitShape<Method["output"]>>
    : Method["methodKind"] extends "client_streaming"
      ? (
          requests: AsyncIterable<MessageShape<Method["input"]>>,
          context: CallContext,
        ) => MaybePromise<MessageInitShape<Method["output"]>>
      : (
          requests: AsyncIterable<MessageShape<Method["input"]>>,
          context: CallContext,
        ) => AsyncIterable<MessageInitShape<Method["output"]>>;

/**
 * One handler for every method of a generated service, under the method's name in camel case. Handlers get a parsed
 * message and return a plain object or a message. What they throw is the caller's status: see `StatusError`.
 */
export type ServiceHandlers<Service extends DescService> = {
  readonly [Name in keyof Service["method"]]: Handler<Service["method"][Name]>;
};

/** Every call shape in one, for the machinery that no longer knows which service it serves. */
// biome-ignore lint/suspicious/noExplicitAny: `service()` has checked the handlers against their service.
export type AnyHandler = (request: any, context: CallContext) => unknown;
export type AnyHandlers = Readonly<Record<string, AnyHandler>>;

/** A service with its handlers, ready to be served. Made by {@link service}. */
export interface ServiceRegistration {
  readonly service: DescService;
  /** Called once, at the first call to the service at the latest. */
  readonly load: () => MaybePromise<AnyHandlers>;
  /** Methods answered without grpc-js, for those where its share of the CPU counts. */
  readonly fast?: FastMethods | undefined;
}

/** Unary methods that are answered straight on HTTP/2 when a call is plain; callers see no difference. */
export interface FastMethods<Name extends string = string> {
  /** In camel case. */
  readonly methods: readonly Name[];
  /** Asked for each call; false leaves it to grpc-js. */
  readonly isOn: () => boolean;
}

/**
 * Pairs a generated service with its handlers, or with a function that loads them at the first call.
 *
 * @example service(KeyManager, { generateKey: async (request, context) => ({ publicKey: … }), … })
 * @example service(KeyManager, async () => (await import("./key-manager-service.ts")).handlers)
 */
export function service<Service extends DescService>(
  descriptor: Service,
  handlers: ServiceHandlers<Service> | (() => MaybePromise<ServiceHandlers<Service>>),
  fast?: FastMethods<string & keyof Service["method"]>,
): ServiceRegistration {
  const load = typeof handlers === "function" ? handlers : () => handlers;
  return { service: descriptor, load: load as () => MaybePromise<AnyHandlers>, fast };
}
