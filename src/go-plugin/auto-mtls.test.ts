/** The certificate of AutoMTLS, and a socket that lets in its one peer alone. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { KeyManager } from "../gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
import { createOwnCertificate, type OwnCertificate, readPeerCertificate, readServerCertificate } from "./auto-mtls.ts";
import { GoPluginError } from "./errors.ts";
import { connectGrpc } from "./grpc/grpc-client.ts";
import { service } from "./grpc/grpc-service.ts";
import { GrpcStatusError } from "./grpc/status-error.ts";
import { silentLogger } from "./hclog/logger.ts";
import { type PluginServer, startPluginServer } from "./plugin/plugin-server.ts";
import type { Listener } from "./socket/listener.ts";
import { listenOnUnixSocket } from "./socket/unix-socket.ts";
import type { TlsIdentity } from "./tls-identity.ts";

describe("createOwnCertificate", () => {
  const now = new Date("2026-11-22T12:00:00Z");
  let certificate: X509Certificate;
  before(async () => {
    certificate = new X509Certificate((await createOwnCertificate(now)).certificateDer);
  });

  it("is self-signed, on P-256, for localhost", () => {
    assert.equal(certificate.verify(certificate.publicKey), true);
    assert.equal(certificate.publicKey.asymmetricKeyDetails?.namedCurve, "prime256v1");
    assert.equal(certificate.checkHost("localhost"), "localhost");
    assert.equal(certificate.subject, "CN=localhost");
    assert.equal(certificate.issuer, "CN=localhost");
  });

  it("serves as its own root, as server and as client", () => {
    assert.equal(certificate.ca, true);
    assert.deepEqual([...(certificate.keyUsage ?? [])].sort(), ["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  });

  it("starts a little in the past and outlives any process", () => {
    assert.equal(Date.parse(certificate.validFrom), now.getTime() - 3_600_000);
    assert.ok(Date.parse(certificate.validTo) > now.getTime() + 9 * 365 * 86_400_000);
  });

  it("has another key and serial number each time", async () => {
    const other = new X509Certificate((await createOwnCertificate(now)).certificateDer);
    assert.notEqual(other.serialNumber, certificate.serialNumber);
    assert.equal(other.publicKey.equals(certificate.publicKey), false);
  });

  it("keeps a positive serial number of sixteen bytes", async () => {
    for (let i = 0; i < 20; i += 1) {
      const { certificateDer } = await createOwnCertificate();
      assert.match(new X509Certificate(certificateDer).serialNumber, /^[4-7][0-9A-F]{31}$/);
    }
  });
});

describe("readPeerCertificate", () => {
  it("takes PEM with text around it", async () => {
    const { certificatePem } = await createOwnCertificate();
    assert.equal(readPeerCertificate(`junk\n${certificatePem}\n`), certificatePem);
  });

  for (const text of ["", "garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]) {
    it(`refuses ${JSON.stringify(text)} by the name of its variable`, () => {
      assert.throws(
        () => readPeerCertificate(text),
        (error) =>
          error instanceof GoPluginError &&
          error.code === "CLIENT_CERTIFICATE" &&
          error.message.includes("PLUGIN_CLIENT_CERT"),
      );
    });
  }

  it("refuses a sixth handshake field that is no certificate", () => {
    assert.throws(
      () => readServerCertificate(Buffer.from("x")),
      (error) => error instanceof GoPluginError && error.code === "SERVER_CERTIFICATE",
    );
  });
});

describe("a socket under AutoMTLS", () => {
  let host: OwnCertificate;
  let plugin: OwnCertificate;
  let stranger: OwnCertificate;
  let listener: Listener;
  let server: PluginServer;

  before(async () => {
    host = await createOwnCertificate();
    plugin = await createOwnCertificate();
    stranger = await createOwnCertificate();
    listener = await listenOnUnixSocket();
    const tls = { ...plugin, peerCertificatePem: host.certificatePem };
    const services = [
      service(KeyManager, {
        generateKey: () => ({}),
        getPublicKey: () => ({}),
        getPublicKeys: () => ({ publicKeys: [{ id: "reached" }] }),
        signData: () => ({}),
      }),
    ];
    server = await startPluginServer({ listener, services, log: silentLogger, tls, onShutdown: () => undefined });
  });
  after(() => server.stop(50));

  async function call(tls?: TlsIdentity): Promise<string> {
    const connection = connectGrpc(listener, tls);
    try {
      const { publicKeys } = await connection.client(KeyManager).getPublicKeys({}, { timeoutMs: 1500 });
      return publicKeys[0]?.id ?? "";
    } catch (error) {
      return error instanceof GrpcStatusError ? error.code : String(error);
    } finally {
      connection.close();
    }
  }

  it("serves the host whose certificate it was given", async () => {
    assert.equal(await call({ ...host, peerCertificatePem: plugin.certificatePem }), "reached");
  });

  it("refuses another certificate, and none, and plaintext", async () => {
    const answers = await Promise.all([
      call({ ...stranger, peerCertificatePem: plugin.certificatePem }),
      call({ ...stranger, certificatePem: host.certificatePem, peerCertificatePem: plugin.certificatePem }).catch(
        () => "mismatch",
      ),
      call(undefined),
    ]);
    for (const answer of answers) assert.match(answer, /UNAVAILABLE|DEADLINE_EXCEEDED|mismatch/);
  });

  it("is refused by a host that was given another certificate", async () => {
    assert.match(await call({ ...host, peerCertificatePem: stranger.certificatePem }), /UNAVAILABLE|DEADLINE_EXCEEDED/);
  });

  const handshake = (options: object) =>
    new Promise<string>((resolve) => {
      const socket: TLSSocket = connectTls(
        {
          socket: connect(listener.address),
          ca: plugin.certificatePem,
          servername: "localhost",
          ALPNProtocols: ["h2"],
          ...options,
        },
        () => {
          // Under TLS 1.3 a server refuses a client's certificate after the client believes to be connected.
          socket.once("data", () => finish(socket.getProtocol() ?? "none"));
        },
      );
      const finish = (text: string): void => {
        socket.destroy();
        resolve(text);
      };
      socket.once("error", (error) => finish((error as { code?: string }).code ?? "error"));
      socket.once("close", () => finish("closed"));
    });

  it("speaks TLS 1.2 and 1.3, and nothing older", async () => {
    const identity = { cert: host.certificatePem, key: host.privateKeyPem };
    assert.equal(await handshake({ ...identity, maxVersion: "TLSv1.2" }), "TLSv1.2");
    assert.equal(await handshake(identity), "TLSv1.3");
    const old = await handshake({
      ...identity,
      minVersion: "TLSv1",
      maxVersion: "TLSv1.1",
      ciphers: "DEFAULT@SECLEVEL=0",
    });
    assert.doesNotMatch(old, /TLSv1/);
  });

  it("ends a connection without a client certificate", async () => {
    assert.doesNotMatch(await handshake({}), /TLSv1/);
  });
});
