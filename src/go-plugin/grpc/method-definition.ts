/** Generated services and methods as grpc-js describes them, for servers and clients alike. */
import {
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type Message,
  toBinary,
} from "@bufbuild/protobuf";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";

/** For a server, whose handlers give bytes: what cannot be written is then an error of theirs, and logged. */
export function toServiceDefinition(service: DescService): ServiceDefinition {
  const passOn = (bytes: Message): Buffer => bytes as unknown as Buffer;
  return Object.fromEntries(
    service.methods.map((method) => [method.localName, { ...toMethodDefinition(method), responseSerialize: passOn }]),
  );
}

/** grpc-js's description of a method of a generated service. */
export function toMethodDefinition(method: DescMethod): MethodDefinition<Message, Message> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming",
    responseStream: method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming",
    requestSerialize: serializerOf(method.input),
    requestDeserialize: parserOf(method.input),
    responseSerialize: serializerOf(method.output),
    responseDeserialize: parserOf(method.output),
  };
}

/** @returns the message's bytes */
export function serializerOf(schema: DescMessage): (message: Message) => Buffer {
  return (message) => {
    const bytes = toBinary(schema, message);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };
}

function parserOf(schema: DescMessage): (bytes: Buffer) => Message {
  return (bytes) => fromBinary(schema, bytes);
}
