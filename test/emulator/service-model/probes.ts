/** Inputs that break one constraint of the service model each, and what AWS says to them. */
import { kmsModel } from "../../../src/kms-emulator/model/kms-model.gen.ts";
import { type ModelShape, shapeNamed } from "../../../src/kms-emulator/model/service-model.ts";

export interface ConstraintProbe {
  readonly operation: string;
  /** `keyId: max 2048` */
  readonly title: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** The violations in AWS's words, in order; enumerations with their values in any order. */
  readonly violations: readonly string[];
}

/** Values that keep to a pattern, by shape. */
const samples: Readonly<Record<string, string>> = {
  AccountIdType: "111122223333",
  AliasNameType: "alias/a",
  BackingKeyIdType: "0".repeat(64),
  CloudHsmClusterIdType: "cluster-1a23b4cdefg".replace("1", "2"),
  GrantConstraintSourceArnType: "arn:aws:s3:us-east-1:111122223333:bucket",
  KeyIdType: "1234abcd-12ab-34cd-56ef-1234567890ab",
  PrincipalIdType: "arn:aws:iam::111122223333:role/app",
  RegionType: "eu-west-1",
  ServicePrincipalType: "s3.amazonaws.com",
  XksProxyAuthenticationAccessKeyIdType: "ABCDEFGHIJKLMNOPQRST",
  XksProxyAuthenticationRawSecretAccessKeyType: "a".repeat(43),
  XksProxyUriEndpointType: "https://a.example",
  XksProxyUriPathType: "/kms/xks/v1",
  XksProxyVpcEndpointServiceNameType: "com.amazonaws.vpce.us-east-1.vpce-svc-0",
};

/** A text that breaks each pattern and no bound of length. */
const unfit = "\u0100 not of the form \u0100";

const lengthOfText = (length: number): string => "a".repeat(length);

function sampleOf(name: string): unknown {
  const shape = shapeNamed(kmsModel, name);
  switch (shape.type) {
    case "string":
      return shape.enum?.[0] ?? samples[name] ?? lengthOfText(shape.min ?? 1);
    case "integer":
      return shape.min ?? 1;
    case "boolean":
      return false;
    case "blob":
      return Buffer.alloc(Math.max(shape.min ?? 1, 1), 1);
    case "timestamp":
      return new Date(0);
    case "list":
      return [sampleOf(shape.member ?? "")];
    case "map":
      return { name: "value" };
    default:
      return requiredMembers(shape);
  }
}

const requiredMembers = (shape: ModelShape): Record<string, unknown> =>
  Object.fromEntries((shape.required ?? []).map((name) => [name, sampleOf(shape.members?.[name] ?? "")]));

/** One way to break a shape. `word` says which constraint it is. */
interface Break {
  readonly word: string;
  readonly value: unknown;
}

function* breaksOf(name: string): Generator<Break> {
  const shape = shapeNamed(kmsModel, name);
  const { type, min, max } = shape;
  if (shape.enum) yield { word: "enum", value: "nothing of the kind" };
  if (shape.pattern !== undefined) yield { word: "pattern", value: unfit.padEnd(min ?? 0, " ").slice(0, max) };
  if (type === "integer") {
    if (min !== undefined) yield { word: `min ${min}`, value: min - 1 };
    if (max !== undefined) yield { word: `max ${max}`, value: max + 1 };
  } else if (type === "string" || type === "blob" || type === "list") {
    if (min !== undefined && min > 0) yield { word: `min ${min}`, value: ofLength(shape, min - 1) };
    if (max !== undefined) yield { word: `max ${max}`, value: ofLength(shape, max + 1) };
  }
}

function ofLength(shape: ModelShape, length: number): unknown {
  if (shape.type === "blob") return Buffer.alloc(length, 1);
  if (shape.type === "list") return Array.from({ length }, () => sampleOf(shape.member ?? ""));
  return lengthOfText(length);
}

const camel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

const lengths = (shape: ModelShape): { less: string; greater: string } =>
  shape.type === "integer"
    ? { less: "value less than or equal to", greater: "value greater than or equal to" }
    : { less: "length less than or equal to", greater: "length greater than or equal to" };

/** What is wrong with a text, number, blob or list by itself, in AWS's words. */
function* constraintsBrokenBy(shape: ModelShape, value: unknown): Generator<string> {
  if (shape.enum) {
    if (!shape.enum.includes(value as string)) yield `Member must satisfy enum value set: [${shape.enum.join(", ")}]`;
    return;
  }
  const size = typeof value === "number" ? value : ((value as { length?: number }).length ?? 0);
  const { less, greater } = lengths(shape);
  if (shape.min !== undefined && size < shape.min) yield `Member must have ${greater} ${shape.min}`;
  if (shape.max !== undefined && size > shape.max) yield `Member must have ${less} ${shape.max}`;
  if (shape.pattern !== undefined && !new RegExp(`^(?:${shape.pattern})$`, "s").test(value as string)) {
    yield `Member must satisfy regular expression pattern: ${shape.pattern}`;
  }
}

/** AWS names the value, but never bytes and never a secret. */
function subjectOf(shape: ModelShape, value: unknown): string {
  if (shape.type === "blob" || shape.isSensitive) return "Value";
  if (Array.isArray(value)) return `Value '[${value.map(shown).join(", ")}]'`;
  return `Value '${String(value)}'`;
}

const shown = (value: unknown): string => (typeof value === "object" ? JSON.stringify(value) : String(value));

function violation(shape: ModelShape, value: unknown, path: string, constraint: string): string {
  return `${subjectOf(shape, value)} at '${path}' failed to satisfy constraint: ${constraint}`;
}

/** The constraints of an element as AWS puts them into one message at the list. */
function elementConstraints(shape: ModelShape): string[] {
  if (shape.enum) return [`Member must satisfy enum value set: [${shape.enum.join(", ")}]`];
  return [
    ...(shape.max === undefined ? [] : [`Member must have length less than or equal to ${shape.max}`]),
    ...(shape.min === undefined ? [] : [`Member must have length greater than or equal to ${shape.min}`]),
    ...(shape.pattern === undefined ? [] : [`Member must satisfy regular expression pattern: ${shape.pattern}`]),
  ];
}

/** Puts `value` at a place deep in an input that is valid otherwise. */
type Place = (value: unknown) => Record<string, unknown>;

interface Site {
  readonly operation: string;
  readonly path: string;
  readonly place: Place;
}

function* probesOfShape(name: string, { operation, path, place }: Site): Generator<ConstraintProbe> {
  const shape = shapeNamed(kmsModel, name);
  for (const { word, value } of breaksOf(name)) {
    const violations = [...constraintsBrokenBy(shape, value)].map((text) => violation(shape, value, path, text));
    yield { operation, title: `${path}: ${word}`, input: place(value), violations };
  }
  if (shape.type === "list") yield* probesOfElement(shape, { operation, path, place });
  if (shape.type === "structure") {
    const rest = requiredMembers(shape);
    const inner: Place = (members) => place({ ...rest, ...(members as object) });
    yield* probesOfMembers(shape, operation, path, inner);
  }
}

function* probesOfElement(list: ModelShape, { operation, path, place }: Site): Generator<ConstraintProbe> {
  const element = shapeNamed(kmsModel, list.member ?? "");
  if (element.type === "structure") {
    const rest = requiredMembers(element);
    const inner: Place = (members) => place([{ ...rest, ...(members as object) }]);
    yield* probesOfMembers(element, operation, `${path}.1.member`, inner);
    return;
  }
  for (const { word, value } of breaksOf(list.member ?? "")) {
    const text = `Member must satisfy constraint: [${elementConstraints(element).join(", ")}]`;
    const violations = [violation(list, [value], path, text)];
    yield { operation, title: `${path}, an element: ${word}`, input: place([value]), violations };
  }
}

function* probesOfMembers(
  shape: ModelShape,
  operation: string,
  path: string,
  place: Place,
): Generator<ConstraintProbe> {
  for (const [name, target] of Object.entries(shape.members ?? {})) {
    const at = path === "" ? camel(name) : `${path}.${camel(name)}`;
    if (shape.required?.includes(name)) {
      const violations = [`Value null at '${at}' failed to satisfy constraint: Member must not be null`];
      yield { operation, title: `${at}: required`, input: place({ [name]: undefined }), violations };
    }
    yield* probesOfShape(target, { operation, path: at, place: (value) => place({ [name]: value }) });
  }
}

/** A valid input as far as the model goes: every member that must be there. */
export function validInput(operation: string): Record<string, unknown> {
  const { input = "" } = kmsModel.operations[operation] ?? {};
  return requiredMembers(shapeNamed(kmsModel, input));
}

/** One probe for every constraint of every member of the input of `operation`. */
export function constraintProbes(operation: string): ConstraintProbe[] {
  const { input = "" } = kmsModel.operations[operation] ?? {};
  const rest = validInput(operation);
  return [
    ...probesOfMembers(shapeNamed(kmsModel, input), operation, "", (members) => ({ ...rest, ...(members as object) })),
  ];
}

export const operationNames = Object.keys(kmsModel.operations);
