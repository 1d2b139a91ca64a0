/**
 * Constraint checking of request members with AWS's texts (docs/aws-kms-behaviour.md, "Validation messages"): all violations
 * of a request are reported in one ValidationException. A wrong JSON type is a SerializationException, as it fails before
 * validation.
 */
import { AwsException } from "../exceptions.ts";
import { checkLength, type Length, type Member, problem, quoted, type Shape, wrongType } from "./shape.ts";

export { blob, boolean, enumeration, integer, string, stringMap, timestamp } from "./scalars.ts";
export type { Shape } from "./shape.ts";

/**
 * `elementRules`: what AWS asks of the elements, in words. AWS then reports a violation of any of them at the list, with all
 * of these words; without, each element is reported by itself.
 */
export function list<T>(
  element: Shape<T>,
  rules: Length & { readonly elementRules?: readonly string[] | undefined } = {},
): Shape<readonly T[]> {
  const { elementRules } = rules;
  return {
    read(value, path, problems) {
      if (!Array.isArray(value)) throw wrongType(value, "a List", path);
      const report = (constraint: string) => {
        problems.push(problem(quoted(`[${value.map((item) => describe(item)).join(", ")}]`), path, constraint));
      };
      checkLength(value.length, rules, report);
      if (elementRules && value.every((item) => item !== null && item !== undefined)) {
        const unreported: string[] = [];
        const items = value.map((item) => element.read(item, path, unreported));
        if (unreported.length > 0) report(`Member must satisfy constraint: [${elementRules.join(", ")}]`);
        return items;
      }
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
