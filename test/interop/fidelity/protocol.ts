/** AWS's JSON protocol, by the service model: what clients of AWS put into a request, and read out of an answer. */
import { kmsModel } from "../../../src/kms-emulator/model/kms-model.gen.ts";
import type { ModelShape } from "../../../src/kms-emulator/model/service-model.ts";

function encoded(this: Record<string, unknown>, name: string, value: unknown): unknown {
  // JSON.stringify has already called toJSON of Date and Buffer.
  const original = this[name];
  if (original instanceof Date) return original.getTime() / 1000;
  if (original instanceof Uint8Array) return Buffer.from(original).toString("base64");
  return value;
}

export const encodeInput = (input: object): string => JSON.stringify(input, encoded);

function decodedStructure(shape: ModelShape, value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, decoded(shape.members?.[name], member)]),
  );
}

/** What does not fit the model stays as it came. */
function decoded(name: string | undefined, value: unknown): unknown {
  const shape = name === undefined ? undefined : kmsModel.shapes[name];
  if (shape?.type === "blob" && typeof value === "string") return new Uint8Array(Buffer.from(value, "base64"));
  if (shape?.type === "timestamp" && typeof value === "number") return new Date(value * 1000);
  if (shape?.type === "list" && Array.isArray(value)) return value.map((item) => decoded(shape.member, item));
  if (shape?.type === "structure" && typeof value === "object" && value !== null) return decodedStructure(shape, value);
  return value;
}

function parsed(text: string): Record<string, unknown> {
  try {
    // An emulator may answer `null`, or with a page of HTML.
    return (JSON.parse(text === "" ? "{}" : text) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** The output; an exception as `{ Error: { Code, Message } }`. */
export function decodeOutput(operation: string, reply: Response, text: string): Record<string, unknown> {
  const body = parsed(text);
  if (reply.ok) return decoded(kmsModel.operations[operation]?.output, body) as Record<string, unknown>;
  const type = String(body.__type ?? reply.headers.get("x-amzn-errortype") ?? `HTTP ${reply.status}`);
  const Code = type.replace(/^.*#/, "").replace(/:.*$/, "");
  return { Error: { Code, Message: String(body.message ?? body.Message ?? "") } };
}
