/** Every way in which a unary call can be ordinary or odd: what a client sends, and who is to answer it. */
import type { ClientHttp2Session } from "node:http2";
import { setImmediate } from "node:timers/promises";
import { deflateSync, gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { SignDataRequestSchema } from "../../../src/gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
import { failureCodes } from "./observed-server.ts";
import { type Answer, answerOf, openCall } from "./raw-call.ts";

/** Who answers where the fast path is on: never grpc-js, always grpc-js, or whoever gets the data as the socket cut it. */
export type Served = "fast" | "grpc-js" | "either";

export interface Oddity {
  readonly what: string;
  readonly by: Served;
  /** The one difference: grpc-js calls the handler of a request that ends after its deadline, for nothing. */
  readonly isSparedTheHandler?: boolean;
  readonly send: (session: ClientHttp2Session) => Promise<Answer>;
}

export const messageOf = (keyId: string, data = Buffer.from("data")): Buffer =>
  Buffer.from(toBinary(SignDataRequestSchema, create(SignDataRequestSchema, { keyId, data })));

export function framed(message: Buffer, flag = 0): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flag;
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/** One write and the end. */
const whole =
  (body: Buffer, headers: Headers = {}) =>
  (session: ClientHttp2Session): Promise<Answer> => {
    const stream = openCall(session, headers);
    stream.end(body);
    return answerOf(stream);
  };

/** One DATA frame each, with time between them. */
const inParts =
  (parts: readonly Buffer[], headers: Headers = {}) =>
  async (session: ClientHttp2Session): Promise<Answer> => {
    const stream = openCall(session, headers);
    const answer = answerOf(stream);
    for (const part of parts) {
      await new Promise((resolve) => stream.write(part, resolve));
      await new Promise((resolve) => session.ping(resolve));
    }
    stream.end();
    return answer;
  };

/** Parts, and never an end. */
const unended =
  (parts: readonly Buffer[], headers: Headers) =>
  (session: ClientHttp2Session): Promise<Answer> => {
    const stream = openCall(session, headers);
    for (const part of parts) stream.write(part);
    return answerOf(stream);
  };

const good = framed(messageOf("sign"));
const nonsense = framed(Buffer.from([0x0a, 0xff, 0xff, 0x01]));
const big = framed(messageOf("sign", Buffer.alloc(5 * 2 ** 20, 7)));

const handlers: readonly Oddity[] = [
  "sign",
  "later",
  "error",
  "text",
  "long",
  "empty",
  "unwritable",
  ...failureCodes.map((code) => `status:${code}`),
].map((keyId) => ({ what: `a handler that does ${keyId}`, by: "fast", send: whole(framed(messageOf(keyId))) }));

const contentTypes: readonly Oddity[] = [
  ["application/grpc", "fast"],
  ["application/grpc+proto", "fast"],
  ["application/grpc+json", "fast"],
  ["application/grpc-web", "fast"],
  ["text/plain", "grpc-js"],
  [undefined, "grpc-js"],
].map(([type, by]) => ({
  what: `content-type ${type}`,
  by: by as Served,
  send: whole(good, { "content-type": type }),
}));

const requests: readonly Oddity[] = [
  { what: "method PUT", by: "grpc-js", send: whole(good, { ":method": "PUT" }) },
  {
    what: "an unknown method",
    by: "grpc-js",
    send: whole(good, { ":path": "/spire.plugin.server.keymanager.v1.KeyManager/Nothing" }),
  },
  {
    what: "a query after the path",
    by: "grpc-js",
    send: whole(good, { ":path": "/spire.plugin.server.keymanager.v1.KeyManager/SignData?a=b" }),
  },
  {
    what: "metadata of all kinds",
    by: "fast",
    send: whole(good, {
      "x-text": "a",
      "x-many": ["a", "b"],
      "x-bytes-bin": "AAECAw==",
      "user-agent": "grpc-go/1.2.3",
    }),
  },
];

const bodies: readonly Oddity[] = [
  {
    what: "no message, the end in the headers",
    by: "grpc-js",
    send: (session) => answerOf(openCall(session, {}, true)),
  },
  { what: "no message, the end in empty data", by: "fast", send: whole(Buffer.alloc(0)) },
  { what: "an empty message", by: "fast", send: whole(framed(Buffer.alloc(0))) },
  { what: "a malformed message", by: "fast", send: whole(nonsense) },
  { what: "a malformed message without an end", by: "fast", send: unended([nonsense], {}) },
  { what: "a message in two parts", by: "grpc-js", send: inParts([good.subarray(0, 9), good.subarray(9)]) },
  {
    what: "a message byte by byte",
    by: "grpc-js",
    send: inParts([...good].map((byte) => Buffer.from([byte]))),
  },
  { what: "a message, its end later", by: "fast", send: inParts([good]) },
  { what: "a message of 5 MiB", by: "grpc-js", send: whole(big) },
  { what: "two messages at once", by: "grpc-js", send: whole(Buffer.concat([good, good])) },
  { what: "two messages, one after the other", by: "grpc-js", send: inParts([good, good]) },
  { what: "a good message and a malformed one", by: "grpc-js", send: inParts([good, nonsense]) },
  { what: "a malformed message and a good one", by: "fast", send: inParts([nonsense, good]) },
  { what: "a message and bytes of a second", by: "grpc-js", send: whole(Buffer.concat([good, Buffer.alloc(3)])) },
  { what: "a message that ends early", by: "grpc-js", send: whole(good.subarray(0, -1)) },
  { what: "a prefix without its message", by: "grpc-js", send: whole(good.subarray(0, 5)) },
  { what: "part of a prefix", by: "grpc-js", send: whole(good.subarray(0, 3)) },
  {
    what: "a request with trailers",
    by: "fast",
    send: (session) => {
      const stream = session.request(
        {
          ":method": "POST",
          ":path": "/spire.plugin.server.keymanager.v1.KeyManager/SignData",
          "content-type": "application/grpc",
        },
        { waitForTrailers: true },
      );
      stream.on("wantTrailers", () => stream.sendTrailers({ "x-late": "1" }));
      stream.end(good);
      return answerOf(stream);
    },
  },
];

const encodings: readonly Oddity[] = [
  { what: "encoding identity", by: "fast", send: whole(good, { "grpc-encoding": "identity" }) },
  { what: "the compression flag without an encoding", by: "fast", send: whole(framed(messageOf("sign"), 1)) },
  { what: "a compression flag that there is not", by: "fast", send: whole(framed(messageOf("sign"), 0x83)) },
  ...["gzip", "deflate", "snappy"].flatMap((encoding): Oddity[] => {
    const compress = encoding === "deflate" ? deflateSync : gzipSync;
    const headers = { "grpc-encoding": encoding };
    return [
      { what: `${encoding}`, by: "grpc-js", send: whole(framed(compress(messageOf("sign")), 1), headers) },
      { what: `${encoding}, not compressed`, by: "grpc-js", send: whole(good, headers) },
      { what: `${encoding}, not what it says`, by: "grpc-js", send: whole(framed(messageOf("sign"), 1), headers) },
    ];
  }),
];

const timeouts: readonly Oddity[] = [
  ...["100S", "1H", "1M", "60000m", "60000000u", "99999999n", "2147483S"].map((timeout): Oddity => {
    return { what: `timeout ${timeout}`, by: "fast", send: whole(good, { "grpc-timeout": timeout }) };
  }),
  // 99,999,999 h are, in 32 bits, some time; so only grpc-js knows when.
  ...["", "5", "5x", "1 S", "-1S", "1.5S", "123456789S", "99999999H", "S"].map((timeout): Oddity => {
    return { what: `timeout "${timeout}"`, by: "grpc-js", send: whole(good, { "grpc-timeout": timeout }) };
  }),
  { what: "a deadline in a handler", by: "fast", send: whole(framed(messageOf("wait")), { "grpc-timeout": "50m" }) },
  {
    what: "a deadline before the end",
    by: "fast",
    isSparedTheHandler: true,
    send: unended([good], { "grpc-timeout": "50m" }),
  },
  { what: "a deadline before any data", by: "fast", send: unended([], { "grpc-timeout": "50m" }) },
  {
    what: "a deadline in the midst of a message",
    by: "grpc-js",
    send: unended([good.subarray(0, 9)], { "grpc-timeout": "50m" }),
  },
  { what: "no time at all", by: "fast", send: unended([], { "grpc-timeout": "0n" }) },
];

const cancellations: readonly Oddity[] = [
  {
    what: "a caller who leaves before the message",
    by: "fast",
    send: async (session) => {
      const stream = openCall(session);
      const answer = answerOf(stream);
      await new Promise((resolve) => session.ping(resolve));
      stream.close(8);
      return answer;
    },
  },
  {
    what: "a caller who leaves a handler",
    by: "fast",
    send: async (session) => {
      const stream = openCall(session);
      const answer = answerOf(stream);
      stream.end(framed(messageOf("wait")));
      await new Promise((resolve) => session.ping(resolve));
      await setImmediate();
      stream.close(8);
      return answer;
    },
  },
];

export const oddities: readonly Oddity[] = [
  ...handlers,
  ...contentTypes,
  ...requests,
  ...bodies,
  ...encodings,
  ...timeouts,
  ...cancellations,
];
