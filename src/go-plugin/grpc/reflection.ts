/** gRPC server reflection, by which tools such as grpcurl find out what a plugin serves. */
import {
  create,
  type DescFile,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import {
  ServerReflection,
  type ServerReflectionRequest,
  ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from "../../gen/grpc/reflection/v1/reflection_pb.ts";
import * as alpha from "../../gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { type ServiceRegistration, service } from "./grpc-service.ts";
import { statusCodes } from "./status-code.ts";

type Response = MessageInitShape<typeof ServerReflectionResponseSchema>;
type Answer = NonNullable<Response["messageResponse"]>;

/** gRPC server reflection, versions v1 and v1alpha, of the given services and of itself. For grpcurl and its like. */
export function createReflectionServices(described: readonly ServiceRegistration[]): ServiceRegistration[] {
  const index = new SymbolIndex();
  const own: ServiceRegistration[] = [
    service(ServerReflection, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) yield respond(request, index);
      },
    }),
    service(alpha.ServerReflection, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) yield respondAlpha(request, index);
      },
    }),
  ];
  for (const registration of [...described, ...own]) index.addService(registration);
  return own;
}

/** The two versions differ by nothing but the package in their names. */
function respondAlpha(request: alpha.ServerReflectionRequest, index: SymbolIndex): alpha.ServerReflectionResponse {
  const bytes = toBinary(alpha.ServerReflectionRequestSchema, request);
  const response = respond(fromBinary(ServerReflectionRequestSchema, bytes), index);
  const answer = toBinary(ServerReflectionResponseSchema, create(ServerReflectionResponseSchema, response));
  return fromBinary(alpha.ServerReflectionResponseSchema, answer);
}

function respond(request: ServerReflectionRequest, index: SymbolIndex): Response {
  return { validHost: request.host, originalRequest: request, messageResponse: answer(request.messageRequest, index) };
}

function answer(asked: ServerReflectionRequest["messageRequest"], index: SymbolIndex): Answer {
  switch (asked.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: index.serviceNames().map((name) => ({ name })) } };
    case "fileByFilename":
      return filesAnswer(index.fileByName(asked.value), asked.value);
    case "fileContainingSymbol":
      return filesAnswer(index.fileOfSymbol(asked.value), asked.value);
    case "allExtensionNumbersOfType":
      return notFound(asked.value);
    case "fileContainingExtension":
      return notFound(`an extension of ${asked.value.containingType}`);
    case undefined:
      return failure(statusCodes.INVALID_ARGUMENT, "empty reflection request");
  }
}

function filesAnswer(file: DescFile | undefined, name: string): Answer {
  if (file === undefined) return notFound(name);
  const files = withImports(file);
  return {
    case: "fileDescriptorResponse",
    value: { fileDescriptorProto: files.map((one) => toBinary(FileDescriptorProtoSchema, one.proto)) },
  };
}

function notFound(name: string): Answer {
  return failure(statusCodes.NOT_FOUND, `not found: ${name}`);
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}

function withImports(file: DescFile, seen = new Set<DescFile>()): DescFile[] {
  if (seen.has(file)) return [];
  seen.add(file);
  return [file, ...file.dependencies.flatMap((dependency) => withImports(dependency, seen))];
}

/** Finds the file that declares a name. */
class SymbolIndex {
  readonly #services = new Set<string>();
  readonly #files = new Map<string, DescFile>();
  readonly #symbols = new Map<string, DescFile>();

  addService({ service: { typeName, file } }: ServiceRegistration): void {
    this.#services.add(typeName);
    for (const one of withImports(file)) this.#addFile(one);
  }

  serviceNames(): string[] {
    return [...this.#services].sort();
  }

  fileByName(name: string): DescFile | undefined {
    return this.#files.get(name);
  }

  /** Accepts services, methods, messages, enums, fields and enum values. */
  fileOfSymbol(symbol: string): DescFile | undefined {
    const parent = symbol.slice(0, Math.max(0, symbol.lastIndexOf(".")));
    return this.#symbols.get(symbol) ?? this.#symbols.get(parent);
  }

  #addFile(file: DescFile): void {
    const name = file.proto.name;
    if (this.#files.has(name)) return;
    this.#files.set(name, file);
    for (const { typeName } of [...file.services, ...file.enums]) this.#symbols.set(typeName, file);
    for (const message of file.messages) this.#addMessage(message, file);
  }

  #addMessage(message: DescMessage, file: DescFile): void {
    this.#symbols.set(message.typeName, file);
    for (const { typeName } of message.nestedEnums) this.#symbols.set(typeName, file);
    for (const nested of message.nestedMessages) this.#addMessage(nested, file);
  }
}
