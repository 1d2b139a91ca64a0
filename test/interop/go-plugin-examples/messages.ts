/** The services of go-plugin's own examples, `grpc` and `bidirectional`. */
import { create, createFileRegistry, type DescService, type Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";

type Fields = Readonly<Record<string, Type>>;

/** Messages with their fields, numbered in order; services with methods from one message to another. */
function register(
  messages: Readonly<Record<string, Fields>>,
  services: Readonly<Record<string, Readonly<Record<string, readonly [string, string]>>>>,
): (name: string) => DescService {
  const file = {
    name: "kv.proto",
    package: "proto",
    syntax: "proto3",
    messageType: Object.entries(messages).map(([name, fields]) => ({
      name,
      field: Object.entries(fields).map(([field, type], index) => ({
        name: field,
        number: index + 1,
        type,
        label: Label.OPTIONAL,
      })),
    })),
    service: Object.entries(services).map(([name, methods]) => ({
      name,
      method: Object.entries(methods).map(([method, [input, output]]) => ({
        name: method,
        inputType: `.proto.${input}`,
        outputType: `.proto.${output}`,
      })),
    })),
  };
  const registry = createFileRegistry(create(FileDescriptorSetSchema, { file: [file] }));
  return (name) => {
    const service = registry.getService(`proto.${name}`);
    if (service === undefined) throw new Error(`no service ${name}`);
    return service;
  };
}

interface Unary<Input, Output> {
  readonly methodKind: "unary";
  readonly input: GenMessage<Message & Input>;
  readonly output: GenMessage<Message & Output>;
}

type Empty = Readonly<Record<never, never>>;

const kv = register(
  {
    GetRequest: { key: Type.STRING },
    GetResponse: { value: Type.BYTES },
    PutRequest: { key: Type.STRING, value: Type.BYTES },
    Empty: {},
  },
  { KV: { Get: ["GetRequest", "GetResponse"], Put: ["PutRequest", "Empty"] } },
);

export const Kv = kv("KV") as unknown as GenService<{
  get: Unary<{ key: string }, { value: Uint8Array }>;
  put: Unary<{ key: string; value: Uint8Array }, Empty>;
}>;

const counter = register(
  {
    GetRequest: { key: Type.STRING },
    GetResponse: { value: Type.INT64 },
    PutRequest: { add_server: Type.UINT32, key: Type.STRING, value: Type.INT64 },
    SumRequest: { a: Type.INT64, b: Type.INT64 },
    SumResponse: { r: Type.INT64 },
    Empty: {},
  },
  {
    Counter: { Get: ["GetRequest", "GetResponse"], Put: ["PutRequest", "Empty"] },
    AddHelper: { Sum: ["SumRequest", "SumResponse"] },
  },
);

export const Counter = counter("Counter") as unknown as GenService<{
  get: Unary<{ key: string }, { value: bigint }>;
  put: Unary<{ addServer: number; key: string; value: bigint }, Empty>;
}>;

export const AddHelper = counter("AddHelper") as unknown as GenService<{
  sum: Unary<{ a: bigint; b: bigint }, { r: bigint }>;
}>;
