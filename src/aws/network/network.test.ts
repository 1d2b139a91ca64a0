/** AWS's clients through a proxy and behind a private certificate authority, all on this machine. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { promisify } from "node:util";
import type { Clock } from "../../key-manager/ports.ts";
import { createAwsClients } from "../clients.ts";

const run = promisify(execFile);
const clock: Clock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
  sleep: async () => undefined,
  random: () => 0,
};
const host = "kms.private.test";
const key = "arn:aws:kms:us-east-2:111122223333:key/k";

const answer = (text: string): string =>
  text.includes("Action=GetCallerIdentity")
    ? "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/u</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"
    : JSON.stringify({ KeyId: key, Signature: "c2ln", Keys: [], Truncated: false });

const portOf = (server: Server): number => (server.address() as AddressInfo).port;
const listening = (server: Server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

/** An authority of one's own, and a server's certificate by it. */
async function makeCertificates(folder: string): Promise<void> {
  const at = (name: string) => join(folder, name);
  const key = ["-newkey", "rsa:2048", "-nodes"];
  const ca = ["-x509", "-days", "30", "-subj", "/CN=private", "-keyout", at("ca.key"), "-out", at("ca.pem")];
  await run("openssl", ["req", ...key, ...ca]);
  await run("openssl", ["req", ...key, "-subj", `/CN=${host}`, "-keyout", at("key.pem"), "-out", at("csr.pem")]);
  await writeFile(at("ext"), `subjectAltName=DNS:${host},IP:127.0.0.1`);
  const by = ["-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-days", "30", "-extfile", at("ext")];
  await run("openssl", ["x509", "-req", "-in", at("csr.pem"), ...by, "-out", at("cert.pem")]);
}

describe("the way to AWS", () => {
  let folder = "";
  let unavailable: string | undefined;
  let aws: Server;
  /** What the proxy was asked for, and whether it opens the way. */
  let asked: string[] = [];
  let access: string[] = [];
  let refusal: string | undefined;
  const proxy = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    access.push(request.headers["proxy-authorization"] ?? "");
    if (refusal === undefined) response.end(answer(""));
    else response.writeHead(Number(refusal.slice(0, 3))).end("the proxy's page");
  });
  proxy.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    access.push(request.headers["proxy-authorization"] ?? "");
    socket.on("error", () => undefined);
    if (refusal !== undefined) return socket.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 4\r\n\r\npage`);
    const way = connect(portOf(aws), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      way.pipe(socket).pipe(way);
    });
    way.on("error", () => undefined);
  });

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "network-"));
    try {
      await makeCertificates(folder);
    } catch (error) {
      unavailable = `openssl is needed to make certificates: ${(error as Error).message.split("\n", 1)[0]}`;
      return;
    }
    const pem = async (name: string) => readFile(join(folder, name));
    aws = createHttpsServer({ key: await pem("key.pem"), cert: await pem("cert.pem") }, (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => response.end(answer(Buffer.concat(chunks).toString())));
    });
    await listening(aws);
    await listening(proxy);
  });
  after(async () => {
    for (const server of [aws, proxy]) {
      server?.closeAllConnections();
      server?.close();
    }
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach((test) => {
    asked = [];
    access = [];
    refusal = undefined;
    if (unavailable !== undefined && "skip" in test) (test.skip as (why: string) => void)(unavailable);
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
    const url = `https://127.0.0.1:${portOf(aws)}`;
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
      assert.equal(Buffer.from(await sign(made.kms)).toString(), "sig", Object.keys(env)[0]);
      made.close();
    }
    const made = clients({}, url);
    await assert.rejects(sign(made.kms), /UNABLE_TO|unable to|self-signed/);
    made.close();
  });

  it("a bundle that is none is named", async () => {
    const none = join(folder, "ext");
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
