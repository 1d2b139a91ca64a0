/** A call is answered alike with and without grpc-js: every status and every oddity of the protocol, byte for byte. */
import assert from "node:assert/strict";
import type { ClientHttp2Session } from "node:http2";
import { after, before, describe, it } from "node:test";
import { ObservedServer, type Way } from "./observed-server.ts";
import { framed, messageOf, oddities } from "./oddities.ts";
import { type Answer, answerOf, openCall, openSession } from "./raw-call.ts";

interface Peer {
  readonly server: ObservedServer;
  readonly session: ClientHttp2Session;
}

async function open(way: Way): Promise<Peer> {
  const server = await ObservedServer.start(way);
  return { server, session: openSession(server.listener.address) };
}

/** What the caller and the handler have seen; the handler may hear of a caller who left only after the caller's end. */
async function observe({ server, session }: Peer, send: (session: ClientHttp2Session) => Promise<Answer>) {
  server.events.length = 0;
  const before = server.grpcJsStreams;
  const answer = await send(session);
  await new Promise((resolve) => session.ping(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  return { seen: { answer, events: [...server.events] }, grpcJsStreams: server.grpcJsStreams - before };
}

describe("unary calls with and without grpc-js", () => {
  let fast: Peer;
  let off: Peer;
  let refused: Peer;

  before(async () => {
    [fast, off, refused] = [await open("fast"), await open("off"), await open("refused")];
  });

  after(async () => {
    for (const { server, session } of [fast, off, refused]) {
      session.destroy();
      await server.stop();
    }
  });

  it("have the streams of this grpc-js to themselves where they are fast", () => {
    assert.deepEqual(fast.server.warnings, []);
    assert.equal(refused.server.warnings.length, 1, "and it is told when a release of grpc-js takes them away");
  });

  for (const { what, by, send, isSparedTheHandler } of oddities)
    it(`answer alike: ${what}`, async () => {
      const viaFast = await observe(fast, send);
      const viaOff = await observe(off, send);
      const viaRefused = await observe(refused, send);
      assert.deepEqual(viaFast.seen, isSparedTheHandler === true ? { ...viaOff.seen, events: [] } : viaOff.seen);
      assert.deepEqual(viaRefused.seen, viaOff.seen);
      assert.equal(viaOff.grpcJsStreams, 1);
      assert.equal(viaFast.grpcJsStreams, by === "fast" ? 0 : 1, "who has answered");
    });

  it("follow the switch from call to call", async () => {
    const call = oddities[0]?.send ?? assert.fail();
    const counts: number[] = [];
    for (const isOn of [true, false, true]) {
      fast.server.isOn = isOn;
      counts.push((await observe(fast, call)).grpcJsStreams);
    }
    assert.deepEqual(counts, [0, 1, 0]);
  });

  it("keep to themselves, hundreds on one connection", async () => {
    const calls = Array.from({ length: 300 }, async (_, index) => {
      const stream = openCall(fast.session, { "grpc-timeout": "100S" });
      stream.end(framed(messageOf("later", Buffer.from(`data ${index}`))));
      return Buffer.from((await answerOf(stream)).body, "base64").includes(`data ${index}`);
    });
    assert.deepEqual(new Set(await Promise.all(calls)), new Set([true]));
  });
});

for (const way of ["fast", "off"] as const)
  describe(`a unary call, ${way === "fast" ? "fast" : "by grpc-js"}`, () => {
    it("waits for a caller who takes its answer slowly", async () => {
      const server = await ObservedServer.start(way);
      const session = openSession(server.listener.address, 0);
      const stream = openCall(session);
      stream.end(framed(messageOf("sign")));
      const answer = answerOf(stream);
      await new Promise((resolve) => stream.once("response", resolve));
      session.settings({ initialWindowSize: 65_535 });
      const { body, trailers } = await answer;
      assert.ok(Buffer.from(body, "base64").includes("fingerprint"));
      assert.deepEqual(trailers, ["grpc-status: 0", "grpc-message: OK"]);
      session.destroy();
      await server.stop();
    });

    it("says that its deadline has passed while the caller did not take the answer", async () => {
      const server = await ObservedServer.start(way);
      const session = openSession(server.listener.address, 0);
      const stream = openCall(session, { "grpc-timeout": "50m" });
      const unlimited = openCall(session, { "grpc-timeout": "100m" });
      const [answer, later] = [answerOf(stream), answerOf(unlimited)];
      stream.end(framed(messageOf("sign")));
      // The second call has no answer to send, so its trailers tell that the first one's deadline has passed, too.
      unlimited.end(framed(messageOf("wait")));
      assert.ok((await later).headers.includes("grpc-status: 4"));
      session.settings({ initialWindowSize: 65_535 });
      const { body, trailers } = await answer;
      assert.ok(Buffer.from(body, "base64").includes("fingerprint"));
      assert.deepEqual(trailers, ["grpc-status: 4", "grpc-message: Deadline%20exceeded"]);
      session.destroy();
      await server.stop();
    });

    it("ends in order when the server stops: told to the handler, answered, GOAWAY", async () => {
      const server = await ObservedServer.start(way);
      const session = openSession(server.listener.address);
      const stream = openCall(session);
      stream.end(framed(messageOf("wait")));
      const answer = answerOf(stream);
      const goaway = new Promise<number>((resolve) => session.once("goaway", resolve));
      await server.untilCalled();
      const stopped = server.stop(5_000);
      assert.deepEqual((await answer).headers.slice(0, 3), [
        ":status: 200",
        "grpc-status: 14",
        "grpc-message: the%20plugin%20is%20stopping",
      ]);
      assert.equal(await goaway, 0);
      await stopped;
    });

    it("finishes what it is doing while the server stops", async () => {
      const server = await ObservedServer.start(way);
      const session = openSession(server.listener.address);
      const stream = openCall(session);
      stream.end(framed(messageOf("hang")));
      const answer = answerOf(stream);
      await server.untilCalled();
      const stopped = server.stop(5_000);
      await new Promise((resolve) => session.once("goaway", resolve));
      server.release();
      assert.deepEqual((await answer).trailers, ["grpc-status: 0", "grpc-message: OK"]);
      await stopped;
    });

    it("keeps its connection open for as long as it takes, and the connection closes when it is idle", async () => {
      const server = await ObservedServer.start(way, 100);
      const session = openSession(server.listener.address);
      const stream = openCall(session);
      stream.end(framed(messageOf("hang")));
      const answer = answerOf(stream);
      let isTold = false;
      const goaway = new Promise<void>((resolve) => {
        session.once("goaway", () => {
          isTold = true;
          resolve();
        });
      });
      await server.untilCalled();
      await new Promise((resolve) => setTimeout(resolve, 400));
      assert.equal(isTold, false);
      server.release();
      assert.deepEqual((await answer).trailers, ["grpc-status: 0", "grpc-message: OK"]);
      await goaway;
      await new Promise((resolve) => session.once("close", resolve));
      await server.stop();
    });
  });
