/** A gRPC server with one service, on the fast path or not, that tells which of its calls grpc-js has had. */
import { setImmediate } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  KeyManager,
  type SignDataResponseSchema,
} from "../../../src/gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
import type { CallContext } from "../../../src/go-plugin/grpc/call-context.ts";
import { accessStreams } from "../../../src/go-plugin/grpc/fast/streams.ts";
import { type GrpcServer, startGrpcServer } from "../../../src/go-plugin/grpc/grpc-server.ts";
import { type ServiceHandlers, service } from "../../../src/go-plugin/grpc/grpc-service.ts";
import { type StatusCode, statusCodes } from "../../../src/go-plugin/grpc/status-code.ts";
import { StatusError } from "../../../src/go-plugin/grpc/status-error.ts";
import { type Logger, silentLogger } from "../../../src/go-plugin/hclog/logger.ts";
import type { Listener } from "../../../src/go-plugin/socket/listener.ts";
import { listenOnUnixSocket } from "../../../src/go-plugin/socket/unix-socket.ts";

/** How calls are to be served: `refused` is a grpc-js that gives no access to its streams. */
export type Way = "fast" | "off" | "refused";

/** Text that percent-encoding, HTTP/2 and UTF-16 make hard. */
export const oddText = `é%41 "\r\n\t\u0000 ☃ 😀 half \ud800 a pair ,;=`;

export class ObservedServer {
  readonly listener: Listener;
  /** What handlers have met, in order. */
  readonly events: string[] = [];
  readonly warnings: string[] = [];
  /** Streams that grpc-js has had. */
  grpcJsStreams = 0;
  readonly #server: GrpcServer;
  #isOn: boolean;
  #release: (() => void) | undefined;

  static async start(way: Way, idleLimitMs?: number): Promise<ObservedServer> {
    return new ObservedServer(await listenOnUnixSocket(), way, idleLimitMs);
  }

  constructor(listener: Listener, way: Way, idleLimitMs: number | undefined) {
    this.listener = listener;
    this.#isOn = way !== "off";
    const log: Logger = {
      ...silentLogger,
      warn: (message) => void this.warnings.push(message),
      with: () => silentLogger,
    };
    this.#server = startGrpcServer({
      listener,
      log,
      idleLimitMs,
      services: [service(KeyManager, this.#handlers(), { methods: ["signData"], isOn: () => this.#isOn })],
      accessStreams: (server) => (way === "refused" ? undefined : this.#counted(server)),
    });
  }

  /** Switches the fast path for the calls to come. */
  set isOn(isOn: boolean) {
    this.#isOn = isOn;
  }

  /** Resolves when a handler has begun. */
  async untilCalled(): Promise<void> {
    while (this.events.length === 0) await setImmediate();
  }

  /** Lets the handlers that wait go on. */
  release(): void {
    this.#release?.();
  }

  stop(graceMs = 50): Promise<void> {
    return this.#server.stop(graceMs);
  }

  #counted(server: Parameters<typeof accessStreams>[0]): ReturnType<typeof accessStreams> {
    const access = accessStreams(server);
    return (
      access && {
        ...access,
        replaceListener: (wrap) =>
          access.replaceListener((own) =>
            wrap((...about) => {
              this.grpcJsStreams += 1;
              own(...about);
            }),
          ),
      }
    );
  }

  #handlers(): ServiceHandlers<typeof KeyManager> {
    return {
      generateKey: () => ({}),
      getPublicKey: () => ({}),
      getPublicKeys: () => ({}),
      signData: ({ keyId, data }, context) => this.#act(keyId, data, context),
    };
  }

  /** Does what the key id says. */
  async #act(
    keyId: string,
    data: Uint8Array,
    context: CallContext,
  ): Promise<MessageInitShape<typeof SignDataResponseSchema>> {
    const [act = "", argument = ""] = keyId.split(":");
    this.events.push(`${context.method} ${act}${context.deadline === undefined ? "" : " with a deadline"}`);
    switch (act) {
      case "status":
        throw new StatusError(argument as Exclude<StatusCode, "OK">, oddText);
      case "long":
        throw new StatusError("ABORTED", "é".repeat(10_000));
      case "empty":
        throw new StatusError("ABORTED", "");
      case "error":
        throw new TypeError("went wrong\nsecond line");
      case "text":
        throw "just text";
      case "unwritable":
        return { signature: "no bytes" as unknown as Uint8Array };
      case "later":
        await setImmediate();
        return { signature: data, keyFingerprint: "later" };
      case "wait":
        return this.#wait(context);
      case "hang":
        await new Promise<void>((resolve) => {
          this.#release = resolve;
        });
        return { signature: data };
      default:
        return { signature: data, keyFingerprint: "fingerprint" };
    }
  }

  /** Ends with the call's own reason. */
  #wait({ signal }: CallContext): Promise<never> {
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        const { code, message } = signal.reason as StatusError;
        this.events.push(`aborted: ${code}: ${message}`);
        reject(signal.reason as Error);
      });
    });
  }
}

export const failureCodes = Object.keys(statusCodes).filter((code) => code !== "OK");
