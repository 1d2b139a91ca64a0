/** The HTTP handler of all clients, which goes through the environment's proxies. */
import { Agent } from "node:http";
import type { NodeHttpHandler, NodeHttpHandlerOptions } from "@smithy/node-http-handler";
import { BoundedHttpHandler } from "../calls/bounded-handler.ts";
import { AwsHttpsAgent } from "./https-agent.ts";
import type { HttpProxy, ProxyRules } from "./proxy-rules.ts";
import type { SecureConnector } from "./secure-connector.ts";
import { proxyRefused } from "./tunnel.ts";

type Handle = NodeHttpHandler["handle"];

export interface NetworkOptions {
  readonly connectionTimeout: number;
  readonly requestTimeout: number;
  readonly maxSockets: number;
  readonly logger: NonNullable<NodeHttpHandlerOptions["logger"]>;
  readonly rules: ProxyRules;
  readonly connector: SecureConnector;
}

/** A request over plain HTTP is sent to the proxy whole, address and all. */
function toProxy(request: Parameters<Handle>[0], proxy: HttpProxy): Parameters<Handle>[0] {
  const { protocol, hostname, port, path, headers } = request;
  const address = `${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`;
  const { authorization } = proxy;
  const access = authorization === undefined ? {} : { "proxy-authorization": authorization };
  const changes = { protocol: proxy.protocol, hostname: proxy.host, port: proxy.port, path: `${address}${path}` };
  return Object.assign(Object.create(Object.getPrototypeOf(request)), request, changes, {
    headers: { ...headers, ...access },
  });
}

export class NetworkHandler extends BoundedHttpHandler {
  readonly #rules: ProxyRules;

  constructor({ connectionTimeout, requestTimeout, maxSockets, logger, rules, connector }: NetworkOptions) {
    const agentOptions = { keepAlive: true, maxSockets };
    super({
      connectionTimeout,
      requestTimeout,
      throwOnRequestTimeout: true,
      httpAgent: new Agent(agentOptions),
      httpsAgent: new AwsHttpsAgent(agentOptions, connector),
      logger,
    });
    this.#rules = rules;
  }

  override async handle(...[request, options]: Parameters<Handle>): ReturnType<Handle> {
    const proxy =
      request.protocol === "http:" ? this.#rules.proxyFor("http:", request.hostname, request.port) : undefined;
    if (proxy === undefined) return super.handle(request, options);
    if (proxy.protocol !== "http:") {
      throw proxyRefused(
        `the proxy ${proxy.name} of HTTP_PROXY is not an http:// proxy, which requests over plain HTTP take`,
      );
    }
    const answer = await super.handle(toProxy(request, proxy), options);
    if (answer.response.statusCode !== 407) return answer;
    answer.response.body.destroy?.();
    throw proxyRefused(
      `the proxy ${proxy.name} refused the request: HTTP 407; it wants a user and a password in HTTP_PROXY`,
    );
  }
}
