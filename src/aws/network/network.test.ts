/** AWS's clients through a proxy and behind a private certificate authority, all on this machine. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Clock } from "../../key-manager/ports.ts";
import { type Emulator, startEmulator } from "../../kms-emulator/index.ts";
import { createAwsClients } from "../clients.ts";

const clock: Clock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
  sleep: async () => undefined,
  random: () => 0,
};
const host = "kms.private.test";

/** A proxy's answer to a Sign over plain HTTP: it comes from no KMS. */
const signedBy = (KeyId: string): string => JSON.stringify({ KeyId, Signature: "c2ln" });

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const listening = (server: Server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

describe("the way to AWS", () => {
  let folder = "";
  let aws: Emulator;
  let key = "";
  /** What the proxy was asked for, and whether it opens the way. */
  let asked: string[] = [];
  let access: string[] = [];
  let refusal: string | undefined;
  const proxy = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    access.push(request.headers["proxy-authorization"] ?? "");
    if (refusal === undefined) response.end(signedBy(key));
    else response.writeHead(Number(refusal.slice(0, 3))).end("the proxy's page");
  });
  proxy.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    access.push(request.headers["proxy-authorization"] ?? "");
    socket.on("error", () => undefined);
    if (refusal !== undefined) return socket.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 4\r\n\r\npage`);
    const way = connect(Number(new URL(aws.endpoint).port), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      way.pipe(socket).pipe(way);
    });
    way.on("error", () => undefined);
  });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "network-"));
    aws = await startEmulator({ region: "us-east-2", tls: { folder, names: [host] } });
    const made = await aws.control.call("CreateKey", { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    key = (made as { KeyMetadata: { Arn: string } }).KeyMetadata.Arn;
    await listening(proxy);
  });
  after(async () => {
    await aws.close();
    proxy.closeAllConnections();
    proxy.close();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    asked = [];
    access = [];
    refusal = undefined;
  });

  const bundle = () => ({ AWS_CA_BUNDLE: join(folder, "ca.pem") });
  const clients = (env: Record<string, string>, endpoint = `https://${host}`, signTransport: "own" | "sdk" = "own") =>
    createAwsClients(
      {
        region: "us-east-2",
        credentials: { accessKeyId: "AKIATEST", secretAccessKey: "secret", sessionToken: undefined },
        profile: undefined,
        assumeRole: undefined,
        useFipsEndpoint: undefined,
        useDualstackEndpoint: undefined,
        signTransport,
        hedgeSignatures: true,
        endpoint,
        stsEndpoint: endpoint,
      },
      clock,
      ["test", "1"],
      { env: { HOME: folder, ...env } },
    );
  const sign = (kms: ReturnType<typeof clients>["kms"]) =>
    kms.sign({ keyArn: key, digest: new Uint8Array(32), signingAlgorithm: "ECDSA_SHA_256" });
  const proxyUrl = (user = "") => `http://${user}127.0.0.1:${portOf(proxy)}`;

  for (const [signTransport, tunnels] of [
    ["own", 2],
    ["sdk", 1],
  ] as const) {
    it(`through a proxy: a tunnel is kept for all that goes over the SDK's connections, and one for signatures over ${signTransport === "own" ? "our own" : "those"}`, async () => {
      const made = clients({ ...bundle(), HTTPS_PROXY: proxyUrl("user:pa%20ss@") }, undefined, signTransport);
      for (let signature = 0; signature < 6; signature++) await sign(made.kms);
      for await (const _ of made.kms.listKeys());
      assert.equal((await made.sts.getCallerIdentity()).account, "111122223333");
      assert.deepEqual(asked, new Array(tunnels).fill(`CONNECT ${host}:443`));
      assert.deepEqual(access, new Array(tunnels).fill(`Basic ${Buffer.from("user:pa ss").toString("base64")}`));
      made.close();
    });
  }

  it("a proxy's refusal is told as the proxy's, without its password, and no request was sent", async () => {
    for (const [status, advice] of [
      ["403 Forbidden", "HTTP 403; allow the host there, or name it in NO_PROXY"],
      ["407 Proxy Authentication Required", "HTTP 407; it wants a user and a password in HTTPS_PROXY"],
    ]) {
      refusal = status;
      const made = clients({ ...bundle(), https_proxy: proxyUrl("user:verysecretword@") });
      const message = `the proxy 127.0.0.1:${portOf(proxy)} refused the connection to ${host}:443: ${advice}`;
      await assert.rejects(sign(made.kms), { code: "UNAVAILABLE", message, outcomeUnknown: false });
      made.close();
    }
  });

  it("a proxy that is not there is named", async () => {
    const made = clients({ ...bundle(), HTTPS_PROXY: "127.0.0.1:1" });
    await assert.rejects(sign(made.kms), /the proxy 127.0.0.1:1 cannot be reached: connect ECONNREFUSED/);
    made.close();
  });

  it("a SOCKS proxy is refused by name", async () => {
    const made = clients({ HTTPS_PROXY: "socks5://proxy.test:1080" });
    await assert.rejects(sign(made.kms), /the proxy proxy.test:1080 is a socks5 proxy; name an http/);
    made.close();
  });

  it("plain HTTP goes to HTTP_PROXY whole, to other hosts than this machine only", async () => {
    const made = clients({ HTTP_PROXY: proxyUrl() }, "http://kms.private.test:8080");
    await sign(made.kms);
    assert.deepEqual(asked, ["POST http://kms.private.test:8080/"]);
    refusal = "407 no";
    await assert.rejects(sign(made.kms), /the proxy 127.0.0.1:\d+ refused the request: HTTP 407/);
    made.close();
    const near = clients({ HTTP_PROXY: "http://127.0.0.1:1" }, proxyUrl());
    refusal = undefined;
    await sign(near.kms);
    assert.equal(asked.at(-1), "POST /");
    near.close();
  });

  it("a private authority is trusted if the environment or the profile names it, and not otherwise", async () => {
    const url = aws.endpoint;
    const ca = join(folder, "ca.pem");
    const config = join(folder, "aws-config");
    await writeFile(config, `[default]\nca_bundle = ${ca}\n`);
    const ways: readonly Record<string, string>[] = [
      { AWS_CA_BUNDLE: ca },
      { SSL_CERT_FILE: ca },
      { SSL_CERT_DIR: `/nowhere:${folder}` },
      { AWS_CONFIG_FILE: config },
      { NODE_EXTRA_CA_CERTS: ca },
    ];
    for (const env of ways) {
      const made = clients(env, url);
      assert.equal((await sign(made.kms))[0], 0x30, Object.keys(env)[0]);
      made.close();
    }
    const made = clients({}, url);
    await assert.rejects(sign(made.kms), /UNABLE_TO|unable to|self-signed/);
    made.close();
  });

  it("over TLS without a proxy: one connection of our own answers again and again, several side by side", async () => {
    const made = clients(bundle(), `https://127.0.0.1:${new URL(aws.endpoint).port}`);
    for (let signature = 0; signature < 20; signature++) assert.equal((await sign(made.kms))[0], 0x30);
    const together = await Promise.all(Array.from({ length: 20 }, () => sign(made.kms)));
    assert.ok(together.every((signature) => signature[0] === 0x30));
    // An answer of another length, and one that is an error.
    await assert.rejects(
      made.kms.sign({ keyArn: "nowhere", digest: new Uint8Array(32), signingAlgorithm: "ECDSA_SHA_256" }),
      {
        code: "NOT_FOUND",
      },
    );
    assert.equal((await sign(made.kms))[0], 0x30);
    made.close();
  });

  it("a bundle that is none is named", async () => {
    const none = join(folder, "none.txt");
    await writeFile(none, "no certificate");
    for (const [name, path, reason] of [
      ["AWS_CA_BUNDLE", none, `${none} holds no certificate in PEM form`],
      ["SSL_CERT_FILE", "/nowhere", "cannot read /nowhere: ENOENT: no such file or directory, open '/nowhere'"],
    ]) {
      const made = clients({ [String(name)]: String(path) });
      await assert.rejects(sign(made.kms), { message: `${name}: ${reason}` });
      made.close();
    }
  });
});
