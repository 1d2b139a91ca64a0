/**
 * The agent for all HTTPS requests: lasting connections to AWS, straight or through the environment's proxy, with the
 * certificate authorities of the environment.
 *
 * Of our own, since the libraries for this take one proxy for all hosts, print what they do (with the proxy's password) when
 * DEBUG is set, or do not keep connections.
 */
import type { ClientRequestArgs } from "node:http";
import { Agent, type AgentOptions, type RequestOptions } from "node:https";
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect } from "node:tls";
import type { ProxyRules } from "./proxy-rules.ts";
import type { Trust } from "./trust.ts";
import { openTunnel } from "./tunnel.ts";

type Created = (error: Error | null, stream: Duplex) => void;

export class AwsHttpsAgent extends Agent {
  readonly #rules: ProxyRules;
  readonly #trust: Trust;

  constructor(options: AgentOptions, rules: ProxyRules, trust: Trust) {
    super(options);
    this.#rules = rules;
    this.#trust = trust;
  }

  override createConnection(options: RequestOptions & ClientRequestArgs, created?: Created): undefined {
    this.#connect(options).then(
      (socket) => created?.(null, socket),
      // Node's own type wants a stream beside the error, and its code none.
      (error: Error) => created?.(error, undefined as unknown as Duplex),
    );
    return undefined;
  }

  async #connect(options: RequestOptions & ClientRequestArgs): Promise<Duplex> {
    const secureContext = await this.#trust.context();
    const host = String(options.host ?? options.hostname ?? "localhost");
    const port = Number(options.port ?? 443);
    const secure = {
      ...options,
      ...(secureContext === undefined ? {} : { secureContext }),
      servername: options.servername ?? (isIP(host) === 0 ? host : ""),
    } as ConnectionOptions;
    const proxy = this.#rules.proxyFor("https:", host, port);
    if (proxy === undefined) return connect({ ...secure, host, port });
    const socket = await openTunnel({ proxy, host, port, secureContext });
    // Over the tunnel; host and path would open another connection.
    const { host: _host, port: _port, path: _path, ...rest } = secure;
    return connect({ ...rest, host, socket });
  }
}
