/** Reads the JSON bodies of the control plane into faults, pauses and numbers. */
import type { Fault, FaultEffect } from "../drills/faults.ts";
import type { PauseRule } from "../drills/pauses.ts";
import { EmulatorError } from "../errors.ts";
import type { Caller } from "../identity.ts";

/** Reads the JSON bodies of the control plane into the types of the in-process one. */
type Json = Readonly<Record<string, unknown>>;

const bad = (message: string): EmulatorError => new EmulatorError("INVALID_OPTION", message);

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function objectBody(body: unknown): Json {
  if (!isObject(body)) throw bad("the body must be a JSON object");
  return body;
}

export function numberMember(body: unknown, name: string): number {
  const value = objectBody(body)[name];
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0) throw bad(`${name} must be a number >= 0`);
  return value;
}

function optionalNumber(body: Json, name: string): number | undefined {
  return body[name] === undefined ? undefined : numberMember(body, name);
}

export function optionalText(body: Json, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || typeof value === "string") return value;
  throw bad(`${name} must be a string`);
}

export function requireText(body: Json, name: string): string {
  const value = optionalText(body, name);
  if (value === undefined) throw bad(`${name} is missing`);
  return value;
}

function refuseUnknown(body: Json, known: readonly string[]): void {
  const stray = Object.keys(body).find((name) => !known.includes(name));
  if (stray !== undefined) throw bad(`there is no ${stray}; known are ${known.join(", ")}`);
}

/** A name, a list of names, or `{"pattern": "^List"}`. */
function readOperation(value: unknown): string | RegExp | readonly string[] | undefined {
  if (value === undefined || typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value as string[];
  if (isObject(value) && typeof value.pattern === "string") {
    try {
      return new RegExp(value.pattern);
    } catch (cause) {
      throw new EmulatorError("INVALID_OPTION", `operation.pattern: ${(cause as Error).message}`, { cause });
    }
  }
  throw bad("operation must be a name, a list of names, or an object with a pattern");
}

/** Whether every member of `wanted` is in `actual`, deeply. */
function contains(actual: unknown, wanted: unknown): boolean {
  if (!isObject(wanted)) return JSON.stringify(actual) === JSON.stringify(wanted);
  return isObject(actual) && Object.entries(wanted).every(([name, value]) => contains(actual[name], value));
}

/** `{"input": {...}, "caller": {...}}`: the members that a call must have. */
function readMatch(value: unknown): ((input: unknown, caller: Caller) => boolean) | undefined {
  if (value === undefined) return undefined;
  if (!isObject(value)) throw bad("match must be an object with input, caller or both");
  refuseUnknown(value, ["input", "caller"]);
  return (input, caller) =>
    (value.input === undefined || contains(input, value.input)) &&
    (value.caller === undefined || contains({ ...caller }, value.caller));
}

function readEffect(body: Json): FaultEffect {
  const kind = requireText(body, "kind");
  switch (kind) {
    case "delay":
    case "consistency-lag":
      return { kind, ms: numberMember(body, "ms") };
    case "error": {
      const message = optionalText(body, "message");
      const status = optionalNumber(body, "status");
      return {
        kind,
        name: requireText(body, "name"),
        ...(message === undefined ? {} : { message }),
        ...(status === undefined ? {} : { status }),
      };
    }
    case "throttle":
      return { kind, perSecond: numberMember(body, "perSecond") };
    case "http-500": {
      const status = optionalNumber(body, "status");
      return { kind, ...(status === undefined ? {} : { status }) };
    }
    case "lost-reply":
    case "reset":
    case "corrupt-signature":
      return { kind };
    default:
      throw bad(`there is no fault of kind ${kind}`);
  }
}

const ruleMembers = [
  "operation",
  "times",
  "probability",
  "match",
  "kind",
  "ms",
  "name",
  "message",
  "status",
  "perSecond",
];

export function readFault(value: unknown): Fault {
  const body = objectBody(value);
  refuseUnknown(body, ruleMembers);
  const operation = readOperation(body.operation);
  const times = optionalNumber(body, "times");
  const probability = optionalNumber(body, "probability");
  const match = readMatch(body.match);
  return {
    ...readEffect(body),
    ...(operation === undefined ? {} : { operation }),
    ...(times === undefined ? {} : { times }),
    ...(probability === undefined ? {} : { probability }),
    ...(match === undefined ? {} : { match }),
  };
}

export function readPause(value: unknown): PauseRule {
  const body = objectBody(value);
  refuseUnknown(body, ["operation", "when", "nth", "match"]);
  const when = requireText(body, "when");
  if (when !== "before" && when !== "after") throw bad("when must be before or after");
  const nth = optionalNumber(body, "nth");
  const match = readMatch(body.match);
  return {
    operation: requireText(body, "operation"),
    when,
    ...(nth === undefined ? {} : { nth }),
    ...(match === undefined ? {} : { match }),
  };
}
