/** Connections of our own: how many, how long they are kept, and what becomes of a request on one that is dead. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { afterEach, describe, it } from "node:test";
import { Cut } from "../calls/cut.ts";
import { ProxyRules } from "../network/proxy-rules.ts";
import { SecureConnector } from "../network/secure-connector.ts";
import { Trust } from "../network/trust.ts";
import type { Connection } from "./connection.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { Exchange } from "./exchange.ts";
import { OwnTransport } from "./own-transport.ts";
import { WireRequest } from "./wire-request.ts";

const answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";

const requestTo = (port: number, hostname = "127.0.0.1"): WireRequest => {
  const text = "POST / HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 2\r\nconnection: keep-alive\r\n\r\n{}";
  return new WireRequest({ protocol: "http:", hostname, port }, text, true);
};

/** The cut of a caller who has a signal. */
function cutBy(signal: AbortSignal | undefined): Cut {
  const cut = new Cut();
  if (signal?.aborted) cut.cut();
  signal?.addEventListener("abort", () => cut.cut());
  return cut;
}

/** A server that answers as it is told, and a transport to it. */
class Stage {
  readonly sockets: Socket[] = [];
  onRequest: (socket: Socket, count: number) => void = (socket) => socket.write(answer);
  requests = 0;
  /** Requests that were left to the SDK. */
  others = 0;
  port = 0;
  readonly #server = createServer((socket) => {
    this.sockets.push(socket);
    socket.on("error", () => undefined).on("data", () => this.onRequest(socket, ++this.requests));
  });
  transport = this.#transport(3);

  #transport(maxConnections: number): OwnTransport {
    const rules = new ProxyRules({ HTTP_PROXY: "http://proxy.test:1" });
    const readText = async () => "";
    const trust = new Trust({ env: {}, readText, profileBundle: async () => undefined });
    const otherwise = {
      handle: async () => {
        this.others++;
        return { response: { statusCode: 200, headers: {}, body: Buffer.from("sdk") } } as never;
      },
    };
    const limits = { connectionTimeout: 5_000, requestTimeout: 5_000, maxConnections };
    return new OwnTransport({ ...limits, rules, connector: new SecureConnector(rules, trust), otherwise });
  }

  async open(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  async ask(signal?: AbortSignal): Promise<string> {
    const { response } = await this.transport.send(requestTo(this.port), cutBy(signal));
    return String(response.body);
  }

  close(): void {
    this.transport.destroy();
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }
}

describe("connections of our own", () => {
  let stage = new Stage();
  afterEach(() => stage.close());
  const open = async () => {
    stage = await new Stage().open();
    return stage;
  };

  it("are kept, and no more than are needed at once", async () => {
    await open();
    for (let index = 0; index < 5; index++) assert.equal(await stage.ask(), "{}");
    assert.equal(stage.sockets.length, 1);
    await Promise.all([stage.ask(), stage.ask()]);
    assert.equal(stage.sockets.length, 2);
  });

  it("are bounded: the SDK takes what is too much", async () => {
    await open();
    const answers = await Promise.all(Array.from({ length: 5 }, () => stage.ask()));
    assert.deepEqual(answers.sort(), ["sdk", "sdk", "{}", "{}", "{}"]);
    assert.equal(stage.sockets.length, 3);
  });

  it("are not for requests through a proxy", async () => {
    await open();
    await stage.transport.send(requestTo(80, "kms.test"), new Cut());
    assert.deepEqual([stage.others, stage.sockets.length], [1, 0]);
  });

  it("are opened beforehand without a request, and used then", async () => {
    await open();
    stage.transport.warm(requestTo(stage.port).place);
    stage.transport.warm(requestTo(stage.port).place);
    while (stage.sockets.length === 0) await new Promise(setImmediate);
    assert.equal(stage.requests, 0);
    await stage.ask();
    assert.equal(stage.sockets.length, 1);
  });

  it("that cannot be opened beforehand say nothing", async () => {
    await open();
    const { port } = stage;
    stage.close();
    stage.transport.warm(requestTo(port).place);
    await assert.rejects(stage.ask(), { code: "ECONNREFUSED" });
  });

  it("are left when the server ends them, or says that it will", async () => {
    await open();
    await stage.ask();
    const closed = once(stage.sockets[0] as Socket, "close");
    stage.sockets[0]?.end();
    await closed;
    assert.equal(await stage.ask(), "{}");
    assert.equal(stage.sockets.length, 2);
    stage.onRequest = (socket) => socket.write(answer.replace("\r\n\r\n", "\r\nKeep-Alive: timeout=1\r\n\r\n"));
    await stage.ask();
    await stage.ask();
    assert.equal(stage.sockets.length, 3, "what the server keeps for a second is not used again");
  });

  it("on which something comes unasked are closed", async () => {
    await open();
    await stage.ask();
    const closed = once(stage.sockets[0] as Socket, "close");
    stage.sockets[0]?.write(answer.replace("{}", "[]"));
    await closed;
    assert.equal(await stage.ask(), "{}");
  });

  it("answer in pieces, too", async () => {
    await open();
    stage.onRequest = async (socket) => {
      for (const piece of answer) {
        socket.write(piece);
        await new Promise(setImmediate);
      }
    };
    assert.equal(await stage.ask(), "{}");
    assert.equal(await stage.ask(), "{}");
    assert.equal(stage.sockets.length, 1);
  });

  it("are cut when the caller gives up", async () => {
    await open();
    const stop = new AbortController();
    stage.onRequest = () => stop.abort();
    await assert.rejects(stage.ask(stop.signal), { name: "AbortError" });
    await once(stage.sockets[0] as Socket, "close");
    await assert.rejects(stage.ask(AbortSignal.abort()), { name: "AbortError" });
    assert.equal(stage.requests, 1);
  });
});

/** A connection that answers until it is told to be dead: then the system takes nothing more. */
class Mortal extends Duplex {
  isDead = false;
  readonly written: string[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: unknown, done: (error?: Error) => void): void {
    if (this.isDead) done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" }));
    else {
      this.written.push(chunk.toString());
      done();
      this.push(answer);
    }
  }
}

describe("a request that never left", () => {
  /** Signs on a connection that is dead after its first answer; the one after it is dead from the beginning, or well. */
  async function secondOf(isNextDead: boolean) {
    const made: Mortal[] = [];
    const connect = async () => {
      const socket = new Mortal();
      socket.isDead = isNextDead && made.length > 0;
      made.push(socket);
      return socket;
    };
    const pool = new ConnectionPool({ connect, maxConnections: 10, idleMs: 60_000, now: () => 0 });
    const ask = () => {
      const limits = { connectionTimeoutMs: 5_000, timeoutMs: 5_000 };
      const exchange = new Exchange({ request: requestTo(1), pool, cut: new Cut(), ...limits });
      return exchange.run(pool.take() as Connection);
    };
    await ask();
    for (const socket of made) socket.isDead = true;
    const outcome = await ask().then(
      ({ response }) => String(response.body),
      (error: Error) => `${error.name}: ${error.message}`,
    );
    pool.close();
    return { outcome, connections: made.length };
  }

  it("is sent once more, on another connection", async () => {
    assert.deepEqual(await secondOf(false), { outcome: "{}", connections: 2 });
  });

  it("is not sent a third time", async () => {
    assert.deepEqual(await secondOf(true), { outcome: "TimeoutError: write EPIPE", connections: 2 });
  });
});

describe("idle connections", () => {
  it("are closed when they are too many for too long, but for one", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    let now = 0;
    const made: Mortal[] = [];
    const connect = async () => {
      const socket = new Mortal();
      made.push(socket);
      return socket;
    };
    const pool = new ConnectionPool({ connect, maxConnections: 10, idleMs: 60_000, now: () => now });
    const taken = [1, 2, 3].map(() => pool.take() as Connection);
    await new Promise(setImmediate);
    for (const connection of taken) pool.idle(connection, undefined);
    now = 60_000;
    t.mock.timers.tick(60_000);
    assert.deepEqual([pool.size, made.filter(({ destroyed }) => destroyed).length], [1, 2]);
    assert.equal(pool.take(), taken[2]);
  });
});
