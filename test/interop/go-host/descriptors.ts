/** Our generated descriptors in the lines that `go-host describe` prints of the SDK's. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";
import {
  type DescEnum,
  type DescField,
  type DescFile,
  type DescMessage,
  type DescMethod,
  ScalarType,
} from "@bufbuild/protobuf";

const generated = path.resolve(import.meta.dirname, "../../../src/gen");

/** All that is generated from .proto files whose package begins with one of `packages`. */
export async function describeOurs(...packages: readonly string[]): Promise<string[]> {
  const names = readdirSync(generated, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith("_pb.ts"));
  const modules = await Promise.all(names.map((name) => import(pathToFileURL(path.join(generated, name)).href)));
  const files = modules.flatMap((module: Readonly<Record<string, unknown>>) =>
    Object.values(module).filter((value): value is DescFile => (value as DescFile | undefined)?.kind === "file"),
  );
  return files
    .filter(({ proto }) => packages.some((name) => proto.package === name || proto.package.startsWith(`${name}.`)))
    .flatMap(describeFile)
    .sort();
}

function describeFile({ messages, enums, services }: DescFile): string[] {
  return [
    ...messages.flatMap(describeMessage),
    ...enums.flatMap(describeEnum),
    ...services.flatMap(({ methods }) => methods.map(describeMethod)),
  ];
}

function describeMethod({ parent, name, methodKind, input, output }: DescMethod): string {
  const [toPlugin, toHost] = {
    unary: ["", ""],
    client_streaming: ["stream ", ""],
    server_streaming: ["", "stream "],
    bidi_streaming: ["stream ", "stream "],
  }[methodKind];
  return `rpc ${parent.typeName}/${name} (${toPlugin}${input.typeName}) returns (${toHost}${output.typeName})`;
}

function describeMessage(message: DescMessage): string[] {
  return [
    `message ${message.typeName}`,
    ...message.fields.map(
      (field) => `field ${message.typeName}.${field.name} = ${field.number} ${describeType(field)}`,
    ),
    ...message.nestedMessages.flatMap(describeMessage),
    ...message.nestedEnums.flatMap(describeEnum),
  ];
}

const describeEnum = ({ typeName, values }: DescEnum): string[] =>
  values.map(({ name, number }) => `value ${typeName}.${name} = ${number}`);

const scalar = (type: ScalarType): string => ScalarType[type].toLowerCase();

function describeType(field: DescField): string {
  const type = describeOne(field);
  return field.oneof === undefined ? type : `oneof ${field.oneof.name} ${type}`;
}

function describeOne(field: DescField): string {
  switch (field.fieldKind) {
    case "scalar":
      return scalar(field.scalar);
    case "enum":
      return field.enum.typeName;
    case "message":
      return field.message.typeName;
    case "list":
      return `repeated ${valueType(field)}`;
    case "map":
      return `map<${scalar(field.mapKey)}, ${valueType(field)}>`;
  }
}

const valueType = (field: DescField & { readonly fieldKind: "list" | "map" }): string =>
  field.message?.typeName ?? field.enum?.typeName ?? scalar(field.scalar ?? ScalarType.BYTES);
