/** Holds a value against a shape of AWS's service model: for answers. */
import { kmsModel } from "../../../src/kms-emulator/model/kms-model.gen.ts";
import { type ModelShape, shapeNamed } from "../../../src/kms-emulator/model/service-model.ts";

/**
 * Where AWS's answers leave its own model: the old name of KeySpec has the same value also for specs that are younger than
 * its enumeration, and a description of 0 bytes is one.
 */
const isKnownException = (shape: string, value: unknown): boolean =>
  shape === "CustomerMasterKeySpec" && typeof value === "string" && /^(?:ECC_NIST_EDWARDS|ML_)/.test(value);

const typeNames: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: (value) => typeof value === "string",
  integer: (value) => Number.isInteger(value),
  boolean: (value) => typeof value === "boolean",
  blob: (value) => value instanceof Uint8Array,
  timestamp: (value) => value instanceof Date && !Number.isNaN(value.getTime()),
  list: (value) => Array.isArray(value),
  map: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  structure: (value) => typeof value === "object" && value !== null && !Array.isArray(value),
};

function* boundsOf(shape: ModelShape, value: unknown): Generator<string> {
  const size = typeof value === "number" ? value : (value as { length?: number }).length;
  if (size === undefined) return;
  if (shape.min !== undefined && size < shape.min) yield `is below ${shape.min}`;
  if (shape.max !== undefined && size > shape.max) yield `is above ${shape.max}`;
}

function* membersOf(shape: ModelShape, value: Readonly<Record<string, unknown>>, at: string): Generator<string> {
  for (const name of Object.keys(value)) {
    const target = shape.members?.[name];
    if (target === undefined) yield `${at}.${name} is not in the model`;
    else yield* problemsOf(target, value[name], `${at}.${name}`);
  }
  for (const name of shape.required ?? []) if (value[name] === undefined) yield `${at}.${name} is missing`;
}

/** What the model would not let AWS answer. Members that are undefined or null are there, and wrong. */
export function* problemsOf(shapeName: string, value: unknown, at: string): Generator<string> {
  const shape = shapeNamed(kmsModel, shapeName);
  if (isKnownException(shapeName, value)) return;
  if (!typeNames[shape.type]?.(value)) {
    yield `${at} is no ${shape.type}`;
    return;
  }
  for (const problem of boundsOf(shape, value)) yield `${at} ${problem}`;
  if (shape.enum && !shape.enum.includes(value as string)) yield `${at} is none of ${shape.enum.join(", ")}`;
  if (shape.pattern !== undefined && !new RegExp(`^(?:${shape.pattern})$`, "s").test(value as string)) {
    yield `${at} does not match ${shape.pattern}`;
  }
  if (shape.type === "structure") yield* membersOf(shape, value as Record<string, unknown>, at);
  if (shape.type === "list") {
    for (const [index, item] of (value as unknown[]).entries()) {
      yield* problemsOf(shape.member ?? "", item, `${at}[${index}]`);
    }
  }
}

/** Problems of the answer of `operation`; an operation without output answers nothing. */
export function answerProblems(operation: string, output: unknown): string[] {
  const shape = kmsModel.operations[operation]?.output;
  if (shape === undefined) return output === undefined ? [] : [`${operation} answers something`];
  return [...problemsOf(shape, output, operation)];
}
