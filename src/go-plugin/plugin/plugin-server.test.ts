/** What a host finds on a plugin's socket: calls, health, reflection, controller, stop. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { connect as connectHttp2, type IncomingHttpHeaders } from "node:http2";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { create, fromBinary, type Message } from "@bufbuild/protobuf";
import { EmptySchema, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import type { ClientReadableStream } from "@grpc/grpc-js";
import {
  Health,
  HealthCheckRequestSchema,
  type HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../gen/grpc/health/v1/health_pb.ts";
import {
  ServerReflection,
  ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import * as alpha from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { GRPCStdio, type StdioData } from "../../gen/plugin/grpc_stdio_pb.ts";
import { KeyManager } from "../../gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
import type { CallContext } from "../grpc/call-context.ts";
import { connectGrpc, type GrpcConnection } from "../grpc/grpc-client.ts";
import { type ServiceHandlers, service } from "../grpc/grpc-service.ts";
import { GrpcStatusError, StatusError } from "../grpc/status-error.ts";
import { createHclog } from "../hclog/hclog.ts";
import type { HclogEntry } from "../hclog/hclog-line.ts";
import { parseHclogLine } from "../hclog/hclog-line.ts";
import type { Listener } from "../socket/listener.ts";
import { listenOnTcp } from "../socket/tcp-socket.ts";
import { listenOnUnixSocket } from "../socket/unix-socket.ts";
import { type PluginServer, startPluginServer } from "./plugin-server.ts";

const entries: HclogEntry[] = [];
const log = createHclog({ write: (line) => entries.push(parseHclogLine(line) ?? assert.fail(line)) });

/** Settled by the handlers below, so that tests can await what happens inside the server. */
let whileRunning: (context: CallContext) => Promise<string> = async () => "";
let loads = 0;

const handlers: ServiceHandlers<typeof KeyManager> = {
  generateKey({ keyId }) {
    if (keyId === "status")
      throw new StatusError("NOT_FOUND", 'key "é%\n" not found', { cause: new Error("secret cause") });
    if (keyId === "surrogate") throw new StatusError("ABORTED", "half \ud800 a pair");
    if (keyId === "long") throw new StatusError("ABORTED", "x".repeat(100_000));
    if (keyId === "text") throw "just text";
    throw new TypeError("went wrong\nsecond line");
  },
  getPublicKey: async (_request, context) => ({ publicKey: { fingerprint: await whileRunning(context) } }),
  getPublicKeys: () => ({ publicKeys: [] }),
  signData: ({ data }) => ({ signature: data }),
};

let listener: Listener;
let server: PluginServer;
let connection: GrpcConnection;
let shutdowns = 0;

before(async () => {
  listener = await listenOnUnixSocket();
  const lazy = service(KeyManager, async () => {
    loads += 1;
    return handlers;
  });
  server = await startPluginServer({
    listener,
    services: [lazy],
    log,
    onShutdown: () => {
      shutdowns += 1;
    },
  });
  connection = connectGrpc(listener);
});

after(async () => {
  connection.close();
  await server.stop(100);
  assert.equal(existsSync(listener.address), false, "the socket file is removed");
});

const keyManager = () => connection.client(KeyManager);

async function failure(call: Promise<unknown>): Promise<GrpcStatusError> {
  const error = await call.then(
    () => assert.fail("expected a failure"),
    (reason: unknown) => reason,
  );
  return error instanceof GrpcStatusError ? error : assert.fail(String(error));
}

async function firstMessage<T extends Message>(stream: ClientReadableStream<Message>): Promise<T> {
  return new Promise((resolve, reject) => {
    stream.once("data", resolve);
    stream.once("error", reject);
  });
}

describe("a unary call", () => {
  it("loads its service once, at the first calls", async () => {
    await Promise.all([keyManager().getPublicKeys({}), keyManager().getPublicKeys({})]);
    await keyManager().signData({});
    assert.equal(loads, 1);
  });

  it("carries messages far above gRPC's usual 4 MiB, both ways", async () => {
    const data = Buffer.alloc(20 * 1024 * 1024, 7);
    const { signature } = await keyManager().signData({ data });
    assert.ok(Buffer.from(signature).equals(data));
  });

  it("fails with the code and message of a StatusError, and keeps the cause in the log", async () => {
    const error = await failure(keyManager().generateKey({ keyId: "status" }));
    assert.equal(error.code, "NOT_FOUND");
    assert.equal(error.details, 'key "é%\n" not found');
    assert.equal(error.method, "spire.plugin.server.keymanager.v1.KeyManager/GenerateKey");
    assert.match(String(entries.at(-1)?.fields.error), /caused by Error: secret cause/);
  });

  it("fails with INTERNAL and the first line of any other error, which is logged with its stack", async () => {
    const error = await failure(keyManager().generateKey({}));
    assert.equal(error.code, "INTERNAL");
    assert.equal(error.details, "unexpected error: went wrong");
    const entry = entries.at(-1);
    assert.equal(entry?.level, "error");
    assert.match(String(entry?.fields.stack), /plugin-server\.test/);
  });

  it("survives whatever is thrown and whatever a message holds", async () => {
    assert.equal((await failure(keyManager().generateKey({ keyId: "text" }))).details, "unexpected error: just text");
    assert.equal((await failure(keyManager().generateKey({ keyId: "surrogate" }))).details, "half \ufffd a pair");
    assert.equal((await failure(keyManager().generateKey({ keyId: "long" }))).details.length, 4097);
  });

  it("is aborted for its handler when the caller cancels", async () => {
    const controller = new AbortController();
    const aborted = new Promise<unknown>((resolve) => {
      whileRunning = (context) => {
        context.signal.addEventListener("abort", () => resolve(context.signal.reason));
        controller.abort();
        return new Promise((_resolve, reject) =>
          context.signal.addEventListener("abort", () => reject(new Error("aborted"))),
        );
      };
    });
    const error = await failure(keyManager().getPublicKey({}, { signal: controller.signal }));
    assert.equal(error.code, "CANCELLED");
    const reason = await aborted;
    assert.ok(reason instanceof StatusError && reason.code === "CANCELLED");
  });

  it("knows its deadline, and is aborted when it passes", async () => {
    let deadline: Date | undefined;
    const aborted = new Promise<unknown>((resolve) => {
      whileRunning = (context) => {
        deadline = context.deadline;
        return new Promise(() => context.signal.addEventListener("abort", () => resolve(context.signal.reason)));
      };
    });
    const started = Date.now();
    const error = await failure(keyManager().getPublicKey({}, { timeoutMs: 100 }));
    assert.equal(error.code, "DEADLINE_EXCEEDED");
    const reason = await aborted;
    // The caller's own timer may win the race by a hair; then it is the caller who cancels.
    assert.ok(reason instanceof StatusError && /^(DEADLINE_EXCEEDED|CANCELLED)$/.test(reason.code));
    const after = (deadline?.getTime() ?? 0) - started;
    assert.ok(after > 0 && after <= 200, `deadline ${after} ms after the start`);
  });

  it("has no deadline unless its caller sets one, and is not aborted once answered", async () => {
    let context: CallContext | undefined;
    whileRunning = async (given) => {
      context = given;
      given.signal.throwIfAborted();
      return "done";
    };
    await keyManager().getPublicKey({});
    // Another round trip: the end of the first call has reached the server by now.
    await keyManager().getPublicKeys({});
    assert.equal(context?.deadline, undefined);
    assert.equal(context?.signal.aborted, false);
  });

  it("is refused before it is sent when its signal is aborted already", async () => {
    const error = await failure(keyManager().getPublicKeys({}, { signal: AbortSignal.abort() }));
    assert.equal(error.code, "CANCELLED");
  });
});

describe("health", () => {
  it("is SERVING for the plugin and for the server as a whole", async () => {
    for (const name of ["plugin", ""]) {
      assert.equal((await connection.client(Health).check({ service: name })).status, ServingStatus.SERVING);
    }
  });

  it("is NOT_FOUND for another name", async () => {
    assert.equal((await failure(connection.client(Health).check({ service: "other" }))).code, "NOT_FOUND");
  });

  it("is told to watchers at once", async () => {
    for (const [name, status] of [
      ["plugin", ServingStatus.SERVING],
      ["other", ServingStatus.SERVICE_UNKNOWN],
    ] as const) {
      const stream = connection.openReadable(Health.method.watch, create(HealthCheckRequestSchema, { service: name }));
      assert.equal((await firstMessage<HealthCheckResponse>(stream)).status, status);
      stream.on("error", () => undefined);
      stream.cancel();
    }
  });
});

describe("reflection", () => {
  const services = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
    "plugin.GRPCBroker",
    "plugin.GRPCController",
    "plugin.GRPCStdio",
    "spire.plugin.server.keymanager.v1.KeyManager",
  ];

  async function ask(messageRequest: {
    case: "listServices" | "fileByFilename" | "fileContainingSymbol";
    value: string;
  }) {
    const stream = connection.openDuplex(ServerReflection.method.serverReflectionInfo);
    stream.write(create(ServerReflectionRequestSchema, { messageRequest }));
    const response = await firstMessage<ServerReflectionResponse>(stream);
    stream.end();
    return response.messageResponse;
  }

  it("lists every service, in both versions", async () => {
    const answer = await ask({ case: "listServices", value: "" });
    assert.deepEqual(answer.case === "listServicesResponse" && answer.value.service.map(({ name }) => name), services);

    const stream = connection.openDuplex(alpha.ServerReflection.method.serverReflectionInfo);
    stream.write(create(alpha.ServerReflectionRequestSchema, { messageRequest: { case: "listServices", value: "" } }));
    const { messageResponse } = await firstMessage<alpha.ServerReflectionResponse>(stream);
    stream.end();
    assert.deepEqual(
      messageResponse.case === "listServicesResponse" && messageResponse.value.service.map(({ name }) => name),
      services,
    );
  });

  it("gives the file of a service, a method, a message and a nested message, with its imports", async () => {
    const km = "spire.plugin.server.keymanager.v1";
    for (const symbol of [
      `${km}.KeyManager`,
      `${km}.KeyManager.SignData`,
      `${km}.PublicKey`,
      `${km}.SignDataRequest.PSSOptions`,
      `${km}.KeyType`,
    ]) {
      const answer = await ask({ case: "fileContainingSymbol", value: symbol });
      const [file = assert.fail(symbol)] =
        answer.case === "fileDescriptorResponse" ? answer.value.fileDescriptorProto : [];
      assert.equal(fromBinary(FileDescriptorProtoSchema, file).package, km);
    }
    const answer = await ask({ case: "fileContainingSymbol", value: "plugin.GRPCStdio" });
    const files = answer.case === "fileDescriptorResponse" ? answer.value.fileDescriptorProto : [];
    assert.deepEqual(
      files.map((file) => fromBinary(FileDescriptorProtoSchema, file).name),
      ["plugin/grpc_stdio.proto", "google/protobuf/empty.proto"],
    );
  });

  it("says NOT_FOUND of what it does not know", async () => {
    for (const value of ["nothing.Here", ""]) {
      const answer = await ask({ case: "fileContainingSymbol", value });
      assert.equal(answer.case === "errorResponse" && answer.value.errorCode, 5);
    }
  });
});

describe("the stdio stream", () => {
  it("carries what was printed before it was opened, in order and by channel", async () => {
    server.stdio.write("stdout", Buffer.from("a".repeat(1500)));
    server.stdio.write("stderr", Buffer.from("oops"));
    const stream = connection.openReadable(GRPCStdio.method.streamStdio, create(EmptySchema));
    stream.on("error", () => undefined);
    const chunks: [number, number][] = [];
    await new Promise<void>((resolve) => {
      stream.on("data", ({ channel, data }: StdioData) => {
        chunks.push([channel, data.length]);
        if (chunks.length === 3) resolve();
      });
    });
    stream.cancel();
    assert.deepEqual(chunks, [
      [1, 1024],
      [1, 476],
      [2, 4],
    ]);
  });
});

describe("the socket", () => {
  it("answers any :authority, as go-plugin's hosts send the word unused", async () => {
    const session = connectHttp2("http://unused", { createConnection: () => connect(listener.address) });
    const stream = session.request({
      ":method": "POST",
      ":path": "/grpc.health.v1.Health/Check",
      ":authority": "no-such-host.invalid:1",
      "content-type": "application/grpc",
      te: "trailers",
    });
    stream.end(Buffer.from([0, 0, 0, 0, 0]));
    const trailers = await new Promise<IncomingHttpHeaders>((resolve) => stream.once("trailers", resolve));
    assert.equal(trailers["grpc-status"], "0");
    session.destroy();
  });

  it("outlives a peer that speaks no HTTP/2", async () => {
    const socket = connect(listener.address);
    socket.on("error", () => undefined);
    socket.resume();
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    await new Promise((resolve) => socket.once("close", resolve));
    await keyManager().getPublicKeys({});
  });

  it("answers UNIMPLEMENTED for a service it does not have", async () => {
    const { Metrics } = await import("../../gen/spire/hostservice/common/metrics/v1/metrics_pb.ts");
    assert.equal((await failure(connection.client(Metrics).emitKey({}))).code, "UNIMPLEMENTED");
  });
});

describe("stopping", () => {
  it("cancels calls in flight with UNAVAILABLE, tells health watchers, and refuses new connections", async () => {
    const own = await listenOnTcp();
    const second = await startPluginServer({
      listener: own,
      services: [service(KeyManager, handlers)],
      log,
      onShutdown: () => undefined,
    });
    const client = connectGrpc(own);
    const watch = client.openReadable(Health.method.watch, create(HealthCheckRequestSchema));
    const statuses: ServingStatus[] = [];
    watch.on("data", ({ status }: HealthCheckResponse) => statuses.push(status));
    watch.on("error", () => undefined);
    const ended = new Promise((resolve) => watch.once("end", resolve));
    const inFlight = new Promise<void>((resolve) => {
      whileRunning = (context) => {
        resolve();
        return new Promise((_resolve, reject) =>
          context.signal.addEventListener("abort", () => reject(context.signal.reason as Error)),
        );
      };
    });
    const call = failure(client.client(KeyManager).getPublicKey({}));
    await inFlight;
    await second.stop(1000);
    const error = await call;
    assert.equal(error.code, "UNAVAILABLE");
    assert.match(error.details, /stopping/);
    await ended;
    assert.deepEqual(statuses, [ServingStatus.SERVING, ServingStatus.NOT_SERVING]);
    const refused = await failure(client.client(KeyManager).getPublicKeys({}, { timeoutMs: 1000 }));
    assert.match(refused.code, /UNAVAILABLE|DEADLINE_EXCEEDED/);
    client.close();
  });

  it("does not wait for a handler that hangs", async () => {
    const own = await listenOnTcp();
    const second = await startPluginServer({
      listener: own,
      services: [service(KeyManager, handlers)],
      log,
      onShutdown: () => undefined,
    });
    const client = connectGrpc(own);
    const inFlight = new Promise<void>((resolve) => {
      whileRunning = () => {
        resolve();
        return new Promise(() => undefined);
      };
    });
    const call = failure(client.client(KeyManager).getPublicKey({}));
    await inFlight;
    await second.stop(50);
    assert.match((await call).code, /UNAVAILABLE|CANCELLED|INTERNAL/);
    client.close();
  });

  it("is left to the owner when the host calls Shutdown", async () => {
    const { GRPCController } = await import("../../gen/plugin/grpc_controller_pb.ts");
    await connection.client(GRPCController).shutdown({});
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(shutdowns, 1);
  });
});

describe("a client that breaks HTTP/2 and goes", { skip: process.platform !== "linux" && "counts in /proc" }, () => {
  it("leaves no descriptor behind, and a connection in use stays", async () => {
    const own = await listenOnUnixSocket();
    const served = await startPluginServer({
      listener: own,
      services: [],
      log,
      onShutdown: () => {},
      idleLimitMs: 200,
    });
    const client = connectGrpc(own);
    const watch = client.openReadable(Health.method.watch, create(HealthCheckRequestSchema));
    let isCut = false;
    watch.on("error", () => {
      isCut = true;
    });
    await firstMessage<HealthCheckResponse>(watch);
    const descriptors = () => readdirSync("/proc/self/fd").length;
    const before = descriptors();
    const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    for (const garbage of [Buffer.alloc(60, 0xee), Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])]) {
      for (let count = 0; count < 5; count++) {
        const socket = connect(own.address);
        await once(socket, "connect");
        // The server's own settings: it has taken the preface.
        socket.write(Buffer.concat([preface, settings]));
        await once(socket, "data");
        socket.write(garbage, () => socket.destroy());
        await once(socket, "close");
      }
    }
    while (descriptors() > before) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(isCut, false);
    watch.cancel();
    client.close();
    await served.stop(100);
  });
});
