/** The plugin reaches services of its host, with AutoMTLS and without. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { ConnInfoSchema, GRPCBroker } from "../../gen/plugin/grpc_broker_pb.ts";
import { Metrics } from "../../gen/spire/hostservice/common/metrics/v1/metrics_pb.ts";
import { createOwnCertificate } from "../auto-mtls.ts";
import { GoPluginError } from "../errors.ts";
import { connectGrpc } from "../grpc/grpc-client.ts";
import { service } from "../grpc/grpc-service.ts";
import { silentLogger } from "../hclog/logger.ts";
import { connectPlugin } from "../host/plugin-connection.ts";
import { listenOnTcp } from "../socket/tcp-socket.ts";
import { listenOnUnixSocket } from "../socket/unix-socket.ts";
import type { TlsIdentity } from "../tls-identity.ts";
import type { Broker } from "./grpc-broker.ts";
import { startPluginServer } from "./plugin-server.ts";

const counted: string[] = [];
const metrics = service(Metrics, {
  setGauge: () => ({}),
  emitKey: () => ({}),
  incrCounter({ key, val }) {
    counted.push(`${key.join(".")}=${val}`);
    return {};
  },
  addSample: () => ({}),
  measureSince: () => ({}),
});

async function startServer(tls?: TlsIdentity) {
  const listener = await listenOnUnixSocket();
  let broker: Broker | undefined;
  const server = await startPluginServer({
    listener,
    log: silentLogger,
    tls,
    services: (context) => {
      broker = context.broker;
      return [];
    },
    onShutdown: () => undefined,
  });
  return { listener, server, broker: broker ?? assert.fail("no broker") };
}

const isTimeout = (error: unknown) => error instanceof GoPluginError && error.code === "BROKER_TIMEOUT";

describe("the broker", () => {
  for (const mode of ["plain", "AutoMTLS"] as const) {
    it(`lets the plugin call a service of the host, ${mode}`, async () => {
      const host = await createOwnCertificate();
      const plugin = await createOwnCertificate();
      const isPlain = mode === "plain";
      const { listener, server, broker } = await startServer(
        isPlain ? undefined : { ...plugin, peerCertificatePem: host.certificatePem },
      );
      const connection = await connectPlugin({
        address: listener,
        tls: isPlain ? undefined : { ...host, peerCertificatePem: plugin.certificatePem },
        hostServices: [metrics],
      });
      const dialled = await broker.dial(1);
      await dialled.client(Metrics).incrCounter({ key: ["sign", mode], val: 2 }, { timeoutMs: 5000 });
      assert.equal(counted.at(-1), `sign.${mode}=2`);
      await connection.close();
      await server.stop(50);
    });
  }

  it("dials TCP addresses, whatever proxy the environment names", async () => {
    const { listener, server, broker } = await startServer();
    const tcp = await listenOnTcp();
    const hostServer = await startPluginServer({
      listener: tcp,
      log: silentLogger,
      services: [metrics],
      onShutdown: () => undefined,
    });
    const connection = connectGrpc(listener);
    const stream = connection.openDuplex(GRPCBroker.method.startStream);
    stream.on("error", () => undefined);
    stream.write(create(ConnInfoSchema, { serviceId: 9, network: "tcp", address: tcp.address }));
    const { http_proxy: proxy } = process.env;
    process.env.http_proxy = "http://127.0.0.1:9";
    try {
      const dialled = await broker.dial(9);
      await dialled.client(Metrics).incrCounter({ key: ["tcp"], val: 1 }, { timeoutMs: 5000 });
    } finally {
      if (proxy === undefined) delete process.env.http_proxy;
      else process.env.http_proxy = proxy;
    }
    assert.equal(counted.at(-1), "tcp=1");
    connection.close();
    await server.stop(50);
    await hostServer.stop(50);
  });

  it("gives up at the caller's word, and is closed with the server", async () => {
    const { server, broker } = await startServer();
    await assert.rejects(broker.dial(1, { signal: AbortSignal.timeout(20) }), /timeout/i);
    await server.stop(50);
    await assert.rejects(broker.dial(1), (error) => error instanceof GoPluginError && error.code === "BROKER_CLOSED");
  });

  it("passes over knocks and keeps its stream", async () => {
    const { listener, server, broker } = await startServer();
    const connection = connectGrpc(listener);
    const stream = connection.openDuplex(GRPCBroker.method.startStream);
    stream.on("error", () => undefined);
    stream.write(create(ConnInfoSchema, { serviceId: 1, knock: { knock: true } }));
    stream.write(create(ConnInfoSchema, { serviceId: 1, network: "unix", address: "/nowhere" }));
    const dialled = await broker.dial(1);
    assert.ok(dialled);
    await assert.rejects(broker.dial(1, { signal: AbortSignal.timeout(20) }), (error) => !isTimeout(error));
    connection.close();
    await server.stop(50);
  });
});
