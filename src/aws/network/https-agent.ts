/**
 * The agent for all HTTPS requests of the SDK: lasting connections to AWS, made by the {@link SecureConnector}.
 *
 * Of our own, since the libraries for this take one proxy for all hosts, print what they do (with the proxy's password) when
 * DEBUG is set, or do not keep connections.
 */
import type { ClientRequestArgs } from "node:http";
import { Agent, type AgentOptions, type RequestOptions } from "node:https";
import type { Duplex } from "node:stream";
import type { SecureConnector, SecureTarget } from "./secure-connector.ts";

type Created = (error: Error | null, stream: Duplex) => void;

export class AwsHttpsAgent extends Agent {
  readonly #connector: SecureConnector;

  constructor(options: AgentOptions, connector: SecureConnector) {
    super(options);
    this.#connector = connector;
  }

  override createConnection(options: RequestOptions & ClientRequestArgs, created?: Created): undefined {
    const host = String(options.host ?? options.hostname ?? "localhost");
    const target = { ...options, host, port: Number(options.port ?? 443) } as SecureTarget;
    this.#connector.connect(target).then(
      (socket) => created?.(null, socket),
      // Node's own type wants a stream beside the error, and its code none.
      (error: Error) => created?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  }
}
