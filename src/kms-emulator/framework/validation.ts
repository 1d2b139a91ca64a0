/**
 * Constraint checking of request members with AWS's texts (docs/aws-kms-behaviour.md, "Validation messages"): all violations
 * of a request are reported in one ValidationException. A wrong JSON type is a SerializationException, as it fails before
 * validation.
 */
import { AwsException } from "../exceptions.ts";

/** What a member may hold. */
export interface Shape<T> {
  /** Appends to `problems` and returns a value of the right type that is then not used. */
  read(value: unknown, path: string, problems: string[]): T;
}

/** A structure member: whether it must be there, and its shape. */
export interface Member<T> {
  readonly isRequired: boolean;
  readonly shape: Shape<T>;
  readonly phantom?: T;
}

function problem(value: string | undefined, path: string, constraint: string): string {
  const subject = value === undefined ? "Value" : `Value ${value}`;
  return `${subject} at '${path}' failed to satisfy constraint: ${constraint}`;
}

const quoted = (value: unknown): string => `'${String(value)}'`;

function wrongType(value: unknown, expected: string, path: string): AwsException {
  const actual = Array.isArray(value) ? "Array" : typeof value === "object" ? "Structure" : typeof value;
  return new AwsException("SerializationException", `${actual} value can not be converted to ${expected} at '${path}'`);
}

interface StringRules {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
}

function checkLength(
  length: number,
  rules: { min?: number; max?: number },
  report: (constraint: string) => void,
): void {
  if (rules.min !== undefined && length < rules.min) {
    report(`Member must have length greater than or equal to ${rules.min}`);
  }
  if (rules.max !== undefined && length > rules.max) {
    report(`Member must have length less than or equal to ${rules.max}`);
  }
}

export function string(rules: StringRules = {}): Shape<string> {
  return {
    read(value, path, problems) {
      if (typeof value !== "string") throw wrongType(value, "a String", path);
      const report = (constraint: string) => problems.push(problem(quoted(value), path, constraint));
      checkLength(value.length, rules, report);
      if (rules.pattern && !rules.pattern.test(value)) {
        report(`Member must satisfy regular expression pattern: ${rules.pattern.source}`);
      }
      return value;
    },
  };
}

export function enumeration<const T extends string>(values: readonly T[]): Shape<T> {
  return {
    read(value, path, problems) {
      if (typeof value !== "string") throw wrongType(value, "a String", path);
      const known = values.find((candidate) => candidate === value);
      if (known !== undefined) return known;
      problems.push(problem(quoted(value), path, `Member must satisfy enum value set: [${[...values].join(", ")}]`));
      return values[0] as T;
    },
  };
}

/** Decimal strings count, too: the Query protocol has no other kind. */
export function integer(rules: { min?: number; max?: number } = {}): Shape<number> {
  return {
    read(value, path, problems) {
      const number = typeof value === "string" && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
      if (typeof number !== "number" || !Number.isSafeInteger(number)) throw wrongType(value, "an Integer", path);
      const report = (constraint: string) => problems.push(problem(quoted(number), path, constraint));
      if (rules.min !== undefined && number < rules.min) {
        report(`Member must have value greater than or equal to ${rules.min}`);
      }
      if (rules.max !== undefined && number > rules.max) {
        report(`Member must have value less than or equal to ${rules.max}`);
      }
      return number;
    },
  };
}

export function boolean(): Shape<boolean> {
  return {
    read(value, path) {
      if (typeof value === "boolean") return value;
      throw wrongType(value, "a Boolean", path);
    },
  };
}

const base64Pattern = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Base64 text on the wire; bytes when called in process. The value is never quoted in a violation. */
export function blob(rules: { min?: number; max?: number } = {}): Shape<Uint8Array> {
  return {
    read(value, path, problems) {
      const bytes = typeof value === "string" && base64Pattern.test(value) ? Buffer.from(value, "base64") : value;
      if (!(bytes instanceof Uint8Array)) throw wrongType(value, "a Blob", path);
      checkLength(bytes.length, rules, (constraint) => problems.push(problem(undefined, path, constraint)));
      return bytes;
    },
  };
}

export function list<T>(element: Shape<T>, rules: { min?: number; max?: number } = {}): Shape<readonly T[]> {
  return {
    read(value, path, problems) {
      if (!Array.isArray(value)) throw wrongType(value, "a List", path);
      checkLength(value.length, rules, (constraint) => {
        problems.push(problem(quoted(`[${value.map((item) => describe(item)).join(", ")}]`), path, constraint));
      });
      return value.map((item, index) => {
        const at = `${path}.${index + 1}.member`;
        if (item !== null && item !== undefined) return element.read(item, at, problems);
        problems.push(problem("null", at, "Member must not be null"));
        return undefined as T;
      });
    },
  };
}

const describe = (item: unknown): string => (typeof item === "object" ? JSON.stringify(item) : String(item));

export const required = <T>(shape: Shape<T>): Member<T> => ({ isRequired: true, shape });

export const optional = <T>(shape: Shape<T>): Member<T | undefined> => ({ isRequired: false, shape });

type Members = Readonly<Record<string, Member<unknown>>>;
type Structure<M extends Members> = { readonly [K in keyof M]: M[K] extends Member<infer T> ? T : never };

const camelCase = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** Unknown members are ignored; null counts as absent. */
export function structure<M extends Members>(members: M): Shape<Structure<M>> {
  const entries = Object.entries(members).map(([name, member]) => ({ name, camel: camelCase(name), member }));
  return {
    read(value, path, problems) {
      if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) {
        throw wrongType(value, "a Structure", path);
      }
      const result: Record<string, unknown> = {};
      for (const { name, camel, member } of entries) {
        const given = (value as Record<string, unknown>)[name];
        const at = path === "" ? camel : `${path}.${camel}`;
        if (given !== undefined && given !== null) {
          result[name] = member.shape.read(given, at, problems);
        } else if (member.isRequired) {
          problems.push(problem("null", at, "Member must not be null"));
        }
      }
      return result as Structure<M>;
    },
  };
}

/** Reads a whole request; throws SerializationException or ValidationException. */
export function readInput<T>(shape: Shape<T>, value: unknown): T {
  const problems: string[] = [];
  const input = shape.read(value, "", problems);
  if (problems.length > 0) {
    const noun = problems.length === 1 ? "error" : "errors";
    throw new AwsException(
      "ValidationException",
      `${problems.length} validation ${noun} detected: ${problems.join("; ")}`,
    );
  }
  return input;
}
