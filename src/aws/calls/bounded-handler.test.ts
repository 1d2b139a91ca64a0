/** Answers that are too slow, too large or cut off do not reach the SDK. */
import assert from "node:assert/strict";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, it } from "node:test";
import { DescribeKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { kmsErrorFrom } from "./aws-error.ts";
import { BoundedHttpHandler } from "./bounded-handler.ts";

const timeoutMs = 300;
/** Where the limit is not what is asked about. */
const patienceMs = 120_000;
const json = { "Content-Type": "application/x-amz-json-1.1" };
const answer = JSON.stringify({ KeyMetadata: { KeyId: "k" } });

/** Writes as fast as the socket takes it, until it is cut. */
function pour(response: ServerResponse): void {
  const chunk = Buffer.alloc(256 * 1024, " ");
  const more = () => {
    while (!response.destroyed && response.write(chunk)) {}
  };
  response.on("drain", more);
  more();
}

function drip(response: ServerResponse): void {
  const timer = setInterval(() => response.write(" "), 20);
  response.on("close", () => clearInterval(timer));
}

describe("bounded HTTP handler", () => {
  const closers: (() => void)[] = [];
  after(() => {
    for (const close of closers) close();
  });

  async function ask(listener: RequestListener, requestTimeout = patienceMs) {
    const server = createServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(() => {
      server.close();
      server.closeAllConnections();
    });
    const client = new KMSClient({
      region: "us-east-2",
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      maxAttempts: 1,
      requestHandler: new BoundedHttpHandler({ requestTimeout, throwOnRequestTimeout: true }),
    });
    closers.push(() => client.destroy());
    return client.send(new DescribeKeyCommand({ KeyId: "k" }));
  }

  const codeOf = async (call: Promise<unknown>) =>
    call.then(
      () => "ok",
      (error: unknown) => kmsErrorFrom("DescribeKey", error).code,
    );

  it("passes answers on, of known length and of unknown length", async () => {
    const whole = await ask((_, response) => response.writeHead(200, json).end(answer));
    assert.equal(whole.KeyMetadata?.KeyId, "k");
    const inChunks = await ask((_, response) => {
      response.writeHead(200, json).write(answer.slice(0, 10));
      setTimeout(() => response.end(answer.slice(10)), 20);
    });
    assert.equal(inChunks.KeyMetadata?.KeyId, "k");
  });

  it("breaks off what comes too slowly, before and after the headers", async () => {
    assert.equal(await codeOf(ask(() => undefined, timeoutMs)), "TIMEOUT");
    assert.equal(await codeOf(ask((_, response) => drip(response.writeHead(200, json)), timeoutMs)), "TIMEOUT");
    const announced = { ...json, "Content-Length": 1_000 };
    assert.equal(await codeOf(ask((_, response) => drip(response.writeHead(200, announced)), timeoutMs)), "TIMEOUT");
  });

  it("breaks off what is too large, whether it says so or not", async () => {
    const announced = { ...json, "Content-Length": 64 * 1024 * 1024 };
    assert.equal(await codeOf(ask((_, response) => pour(response.writeHead(200, announced)))), "UNAVAILABLE");
    const before = process.memoryUsage().rss;
    assert.equal(await codeOf(ask((_, response) => pour(response.writeHead(200, json)))), "UNAVAILABLE");
    assert.ok(process.memoryUsage().rss - before < 200 * 1024 * 1024);
  });

  it("breaks off when the connection is cut in the middle", async () => {
    const cut: RequestListener = (_, response) => {
      response.writeHead(200, { ...json, "Content-Length": 1_000 }).write("{");
      setTimeout(() => response.destroy(), 20);
    };
    assert.equal(await codeOf(ask(cut)), "UNAVAILABLE");
  });
});
