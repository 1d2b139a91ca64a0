/** Streams of every kind, and services that load late, over a real socket. */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { create, createFileRegistry, type DescService, type Message } from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { KeyManager } from "../../gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
import { silentLogger } from "../hclog/logger.ts";
import type { Listener } from "../socket/listener.ts";
import { listenOnUnixSocket } from "../socket/unix-socket.ts";
import { connectGrpc, type GrpcConnection } from "./grpc-client.ts";
import { type GrpcServer, startGrpcServer } from "./grpc-server.ts";
import { type ServiceHandlers, type ServiceRegistration, service } from "./grpc-service.ts";

/** `service Words { rpc Both(stream Word) returns (stream Word); rpc Many(Word) returns (stream Word); }` */
function describeWords(): DescService {
  const field = { name: "text", jsonName: "text", number: 1, type: Type.STRING, label: Label.OPTIONAL };
  const method = (name: string, clientStreaming: boolean, serverStreaming: boolean) => ({
    name,
    inputType: ".test.Word",
    outputType: ".test.Word",
    clientStreaming,
    serverStreaming,
  });
  const file = {
    name: "words.proto",
    package: "test",
    syntax: "proto3",
    messageType: [{ name: "Word", field: [field] }],
    service: [
      { name: "Words", method: [method("Both", true, true), method("Many", false, true), method("Join", true, false)] },
    ],
  };
  return (
    createFileRegistry(create(FileDescriptorSetSchema, { file: [file] })).getService("test.Words") ??
    assert.fail("no service")
  );
}

type Word = Message & { text: string };

const words = describeWords();
let produced = 0;
const handlers: Record<string, (input: never) => unknown> = {
  async *both(requests: AsyncIterable<Word>) {
    for await (const { text } of requests) yield { text: text.toUpperCase() };
  },
  async *many({ text }: Word) {
    for (let i = 0; i < 100_000; i += 1) {
      produced += 1;
      yield { text: text.repeat(1000) };
    }
  },
  async join(requests: AsyncIterable<Word>) {
    const all: string[] = [];
    for await (const { text } of requests) all.push(text);
    return { text: all.join(" ") };
  },
};
const registration = { service: words, load: () => handlers } as unknown as ServiceRegistration;

let listener: Listener;
let server: GrpcServer;
let connection: GrpcConnection;

before(async () => {
  listener = await listenOnUnixSocket();
  server = startGrpcServer({ listener, services: [registration], log: silentLogger });
  connection = connectGrpc(listener);
});

after(async () => {
  connection.close();
  await server.stop(50);
});

function method(name: string) {
  return words.method[name] ?? assert.fail(name);
}

function word(text: string): Message {
  return create(method("both").input, { text });
}

describe("streams", () => {
  it("both ways carry one answer for each request", async () => {
    const stream = connection.openDuplex(method("both"));
    for (const text of ["a", "b"]) stream.write(word(text));
    stream.end();
    const answers: string[] = [];
    for await (const { text } of stream as AsyncIterable<Word>) answers.push(text);
    assert.deepEqual(answers, ["A", "B"]);
  });

  it("of requests end in one answer", async () => {
    const stream = connection.openDuplex(method("join"));
    for (const text of ["one", "two"]) stream.write(word(text));
    stream.end();
    const answers: string[] = [];
    for await (const { text } of stream as AsyncIterable<Word>) answers.push(text);
    assert.deepEqual(answers, ["one two"]);
  });

  it("of responses wait for a slow reader, and end when the reader goes", async () => {
    const stream = connection.openReadable(method("many"), word("x"));
    stream.on("error", () => undefined);
    await new Promise((resolve) => stream.once("data", resolve));
    stream.pause();
    const before = produced;
    assert.ok(before < 100_000, "the handler ran ahead of its reader");
    stream.cancel();
    stream.resume();
    await new Promise((resolve) => stream.once("end", resolve));
    const stopped = await new Promise<number>((resolve) => setTimeout(() => resolve(produced), 50));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(produced, stopped, "the handler goes on without a reader");
  });
});

describe("service()", () => {
  it("is checked against its descriptor by the compiler", () => {
    const { generateKey, ...others }: ServiceHandlers<typeof KeyManager> = {
      generateKey: () => ({}),
      getPublicKey: () => ({}),
      getPublicKeys: () => ({}),
      signData: () => ({ signature: new Uint8Array() }),
    };
    // @ts-expect-error a method is missing
    service(KeyManager, others);
    // @ts-expect-error an answer has the wrong shape
    service(KeyManager, { ...others, generateKey: () => ({ publicKey: 5 }) });
    // @ts-expect-error a method does not exist
    service(KeyManager, { ...others, generateKey, destroyKey: () => ({}) });
    assert.equal(service(KeyManager, { ...others, generateKey }).service, KeyManager);
  });
});
