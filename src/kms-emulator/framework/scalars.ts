/** Readers of members that are no structure and no list. */
import { checkLength, type Length, problem, quoted, type Shape, wrongType } from "./shape.ts";

interface StringRules extends Length {
  /** As AWS writes it; the whole text must match. */
  readonly pattern?: string | undefined;
  /** The text is not quoted in a violation. */
  readonly isSensitive?: boolean | undefined;
}

/** A pattern of AWS's model is Java's: it must match from end to end. */
const wholly = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`, "s");

export function string(rules: StringRules = {}): Shape<string> {
  const pattern = rules.pattern === undefined ? undefined : wholly(rules.pattern);
  return {
    read(value, path, problems) {
      if (typeof value !== "string") throw wrongType(value, "a String", path);
      const subject = rules.isSensitive ? undefined : quoted(value);
      const report = (constraint: string) => problems.push(problem(subject, path, constraint));
      checkLength(value.length, rules, report);
      if (pattern && !pattern.test(value)) {
        report(`Member must satisfy regular expression pattern: ${rules.pattern}`);
      }
      return value;
    },
  };
}

/** Seconds since 1970 or ISO 8601 on the wire; a Date when called in process. */
export function timestamp(): Shape<Date> {
  return {
    read(value, path) {
      const date =
        typeof value === "number" ? new Date(value * 1000) : typeof value === "string" ? new Date(value) : value;
      if (date instanceof Date && !Number.isNaN(date.getTime())) return date;
      throw wrongType(value, "a Timestamp", path);
    },
  };
}

/** Text by text. */
export function stringMap(): Shape<Readonly<Record<string, string>>> {
  return {
    read(value, path) {
      if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Uint8Array) {
        throw wrongType(value, "a Map", path);
      }
      for (const item of Object.values(value)) {
        if (typeof item !== "string") throw wrongType(item, "a String", path);
      }
      return { ...value };
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
export function integer(rules: Length = {}): Shape<number> {
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
export function blob(rules: Length = {}): Shape<Uint8Array> {
  return {
    read(value, path, problems) {
      const bytes = typeof value === "string" && base64Pattern.test(value) ? Buffer.from(value, "base64") : value;
      if (!(bytes instanceof Uint8Array)) throw wrongType(value, "a Blob", path);
      checkLength(bytes.length, rules, (constraint) => problems.push(problem(undefined, path, constraint)));
      return bytes;
    },
  };
}
