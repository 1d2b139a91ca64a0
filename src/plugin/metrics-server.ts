/** `metrics_listen`: Prometheus text over HTTP, on the loopback address only. */
import { createServer, type Server } from "node:http";
import type { ListenAddress } from "../key-manager/config.ts";
import { KeyManagerError } from "../key-manager/errors.ts";

function stop(server: Server | undefined): void {
  server?.close();
  server?.closeAllConnections();
}

export class MetricsServer {
  readonly #text: () => string;
  #server: Server | undefined;
  #address: ListenAddress | undefined;

  constructor(text: () => string) {
    this.#text = text;
  }

  /**
   * Listens at another address (undefined = nowhere) while something is tried, and stays there if that succeeds.
   *
   * @throws KeyManagerError `FailedPrecondition` when the address cannot be had; what the attempt throws
   */
  async moveWhile(address: ListenAddress | undefined, attempt: () => Promise<void>): Promise<void> {
    if (address?.host === this.#address?.host && address?.port === this.#address?.port) return attempt();
    const server = address === undefined ? undefined : await this.#start(address);
    try {
      await attempt();
    } catch (error) {
      stop(server);
      throw error;
    }
    stop(this.#server);
    this.#server = server;
    this.#address = address;
  }

  #start({ host, port }: ListenAddress): Promise<Server> {
    const server = createServer((request, response) => {
      const isMetrics = request.method === "GET" && request.url?.split("?")[0] === "/metrics";
      response.writeHead(isMetrics ? 200 : 404, { "Content-Type": "text/plain; version=0.0.4; charset=utf-8" });
      response.end(isMetrics ? this.#text() : "the metrics are at /metrics\n");
    });
    server.requestTimeout = 5_000;
    server.maxConnections = 16;
    return new Promise((resolve, reject) => {
      server.once("error", (cause) => {
        const message = `metrics_listen: cannot listen on ${host}:${port}: ${cause.message}; choose another port`;
        reject(new KeyManagerError("FAILED_PRECONDITION", message, { cause }));
      });
      server.listen(port, host, () => {
        server.unref();
        resolve(server);
      });
    });
  }
}
