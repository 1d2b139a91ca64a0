/** A connection to a gRPC server on this machine, with typed clients for generated services. */
import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  type Message,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import {
  type ChannelCredentials,
  Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientUnaryCall,
  ChannelCredentials as Credentials,
  type ServiceError,
} from "@grpc/grpc-js";
import type { Network } from "../handshake.ts";
import { autoMtlsServerName, type TlsIdentity } from "../tls-identity.ts";
import { clientStatus } from "./client-status.ts";
import { clientStreamingCall, duplexCall, serverStreamingCall } from "./client-streams.ts";
import { toMethodDefinition } from "./method-definition.ts";
import { GrpcStatusError } from "./status-error.ts";

export interface CallOptions {
  /** The call fails with DEADLINE_EXCEEDED after this long. Default: no limit. */
  readonly timeoutMs?: number | undefined;
  /** Aborting cancels the call; it then fails with CANCELLED. */
  readonly signal?: AbortSignal | undefined;
}

/** The unary methods of a generated service, as functions that reject with `GrpcStatusError`. */
export type UnaryClient<Service extends DescService> = {
  readonly [Name in keyof Service["method"] as Service["method"][Name]["methodKind"] extends "unary" ? Name : never]: (
    request: MessageInitShape<Service["method"][Name]["input"]>,
    options?: CallOptions,
  ) => Promise<MessageShape<Service["method"][Name]["output"]>>;
};

type ManyRequests<Method extends DescMethod> =
  | AsyncIterable<MessageInitShape<Method["input"]>>
  | Iterable<MessageInitShape<Method["input"]>>;

type ClientMethod<Method extends DescMethod> = Method["methodKind"] extends "unary"
  ? (request: MessageInitShape<Method["input"]>, options?: CallOptions) => Promise<MessageShape<Method["output"]>>
  : Method["methodKind"] extends "server_streaming"
    ? (
        request: MessageInitShape<Method["input"]>,
        options?: CallOptions,
      ) => AsyncIterable<MessageShape<Method["output"]>>
    : Method["methodKind"] extends "client_streaming"
      ? (requests: ManyRequests<Method>, options?: CallOptions) => Promise<MessageShape<Method["output"]>>
      : (requests: ManyRequests<Method>, options?: CallOptions) => AsyncIterable<MessageShape<Method["output"]>>;

/**
 * Every method of a generated service as a function: it rejects with `GrpcStatusError`, or its iterable does. A stream of
 * answers is opened by the loop that reads it, and ended by leaving the loop.
 */
export type ServiceClient<Service extends DescService> = {
  readonly [Name in keyof Service["method"]]: ClientMethod<Service["method"][Name]>;
};

export interface GrpcAddress {
  readonly network: Network;
  /** A socket path, or host:port. */
  readonly address: string;
}

/** One HTTP/2 connection to a peer, made when it is first needed and made again when it breaks. */
export interface GrpcConnection {
  client<Service extends DescService>(service: Service): ServiceClient<Service>;
  /** Opens a bidirectional stream. */
  openDuplex(method: DescMethod): ClientDuplexStream<Message, Message>;
  /** Opens a stream of responses. */
  openReadable(method: DescMethod, request: Message): ClientReadableStream<Message>;
  close(): void;
}

export function connectGrpc(address: GrpcAddress, tls?: TlsIdentity): GrpcConnection {
  const target = address.network === "unix" ? `unix:${address.address}` : `dns:${address.address}`;
  const client = new Client(target, credentials(tls), {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
    "grpc.enable_channelz": 0,
    // The peer is on this machine; an http_proxy variable is not meant for it.
    "grpc.enable_http_proxy": 0,
    // A socket path may be used again by another process; no connection is shared by address.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.max_reconnect_backoff_ms": 2000,
    ...(tls === undefined ? {} : { "grpc.ssl_target_name_override": autoMtlsServerName }),
  });

  return {
    client: (service) => serviceClient(client, service),
    openDuplex(method) {
      const { path, requestSerialize, responseDeserialize } = toMethodDefinition(method);
      return client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    },
    openReadable(method, request) {
      const { path, requestSerialize, responseDeserialize } = toMethodDefinition(method);
      return client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request);
    },
    close: () => client.close(),
  };
}

function credentials(tls: TlsIdentity | undefined): ChannelCredentials {
  if (tls === undefined) return Credentials.createInsecure();
  const root = Buffer.from(tls.peerCertificatePem);
  return Credentials.createSsl(root, Buffer.from(tls.privateKeyPem), Buffer.from(tls.certificatePem));
}

function serviceClient<Service extends DescService>(client: Client, service: Service): ServiceClient<Service> {
  const makers = {
    unary: unaryCall,
    server_streaming: serverStreamingCall,
    client_streaming: clientStreamingCall,
    bidi_streaming: duplexCall,
  } as const;
  const calls = service.methods.map((method) => [method.localName, makers[method.methodKind](client, method)]);
  return Object.fromEntries(calls) as ServiceClient<Service>;
}

function unaryCall(client: Client, method: DescMethod) {
  const definition = toMethodDefinition(method);
  const name = definition.path.slice(1);
  return (request: MessageInitShape<DescMessage>, options: CallOptions = {}): Promise<Message> =>
    new Promise((resolve, reject) => {
      const { signal, timeoutMs } = options;
      if (signal?.aborted === true) {
        reject(new GrpcStatusError(name, "CANCELLED", "cancelled before it was sent", { cause: signal.reason }));
        return;
      }
      const deadline = timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
      const cancel = (): void => call?.cancel();
      const settle = (error: ServiceError | null, response?: Message): void => {
        signal?.removeEventListener("abort", cancel);
        if (error !== null) reject(clientStatus(name, error));
        else if (response !== undefined) resolve(response);
        else reject(new GrpcStatusError(name, "INTERNAL", "neither an answer nor an error"));
      };
      const { path, requestSerialize, responseDeserialize } = definition;
      const message = create(method.input, request);
      let call: ClientUnaryCall | undefined;
      try {
        call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, deadline, settle);
      } catch (cause) {
        reject(new GrpcStatusError(name, "UNAVAILABLE", "the connection is closed", { cause }));
        return;
      }
      signal?.addEventListener("abort", cancel, { once: true });
    });
}
