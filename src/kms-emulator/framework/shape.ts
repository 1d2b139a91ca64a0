/** What every reader of a member has in common: its form, and the words for what is wrong. */
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

export function problem(value: string | undefined, path: string, constraint: string): string {
  const subject = value === undefined ? "Value" : `Value ${value}`;
  return `${subject} at '${path}' failed to satisfy constraint: ${constraint}`;
}

export const quoted = (value: unknown): string => `'${String(value)}'`;

export function wrongType(value: unknown, expected: string, path: string): AwsException {
  const actual = Array.isArray(value) ? "Array" : typeof value === "object" ? "Structure" : typeof value;
  return new AwsException("SerializationException", `${actual} value can not be converted to ${expected} at '${path}'`);
}

export interface Length {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

export function checkLength(length: number, rules: Length, report: (constraint: string) => void): void {
  if (rules.min !== undefined && length < rules.min) {
    report(`Member must have length greater than or equal to ${rules.min}`);
  }
  if (rules.max !== undefined && length > rules.max) {
    report(`Member must have length less than or equal to ${rules.max}`);
  }
}
