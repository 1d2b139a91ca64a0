/** A server on loopback that gives one and the same answer to whatever it is asked, until it is told another. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface RawAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
  /** The connection breaks after the body. */
  readonly isCut?: boolean;
}

export class NonsenseServer {
  readonly #server = createServer((request, response) => {
    this.requests++;
    request.resume();
    // The whole request has come: a connection that breaks before has another meaning.
    request.once("end", () => this.#send(response));
  });
  answer: RawAnswer = { status: 500, body: "" };
  /** How often it was asked. */
  requests = 0;

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #send(response: ServerResponse): void {
    const { status, headers, body, isCut = false } = this.answer;
    response.writeHead(status, { "content-length": String(Buffer.byteLength(body)), ...headers });
    if (!isCut) response.end(body);
    else response.write(body, () => response.destroy());
  }
}
