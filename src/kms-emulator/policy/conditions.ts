/** The Condition of a statement: operators, set operators and policy variables. */
import { globMatches } from "./glob.ts";
import { isInRange } from "./ip-range.ts";

/** A statement's conditions: operator → condition key → values, as written. */
export type Conditions = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;

/** Values of condition keys for one request, by lower-case key: IAM ignores the case of condition keys. */
export type ConditionContext = ReadonlyMap<string, readonly string[]>;

type Test = (value: string, wanted: string) => boolean;

interface Operator {
  readonly test: Test;
  /** `…Not…` operators: true when no wanted value matches, and when the key is absent. */
  readonly isNegated: boolean;
}

const number = (test: (value: number, wanted: number) => boolean): Test => {
  return (value, wanted) => test(Number(value), Number(wanted));
};

/** Dates as ISO 8601 or epoch seconds. */
const time = (text: string): number => (/^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text));

const date = (test: (value: number, wanted: number) => boolean): Test => {
  return (value, wanted) => test(time(value), time(wanted));
};

const equals: Test = (value, wanted) => value === wanted;
const equalsIgnoreCase: Test = (value, wanted) => value.toLowerCase() === wanted.toLowerCase();
const like: Test = (value, wanted) => globMatches(wanted, value);
/** Bytes in base64, however they are padded. */
const sameBytes: Test = (value, wanted) => Buffer.from(value, "base64").equals(Buffer.from(wanted, "base64"));
const plain = (test: Test): Operator => ({ test, isNegated: false });
const negated = (test: Test): Operator => ({ test, isNegated: true });

/** Comparisons as IAM names them, with `Numeric` or `Date` in front. */
function comparisons(kind: string, typed: (test: (value: number, wanted: number) => boolean) => Test) {
  return {
    [`${kind}Equals`]: plain(typed((value, wanted) => value === wanted)),
    [`${kind}NotEquals`]: negated(typed((value, wanted) => value === wanted)),
    [`${kind}LessThan`]: plain(typed((value, wanted) => value < wanted)),
    [`${kind}LessThanEquals`]: plain(typed((value, wanted) => value <= wanted)),
    [`${kind}GreaterThan`]: plain(typed((value, wanted) => value > wanted)),
    [`${kind}GreaterThanEquals`]: plain(typed((value, wanted) => value >= wanted)),
  };
}

const operators: Readonly<Record<string, Operator>> = {
  StringEquals: plain(equals),
  StringNotEquals: negated(equals),
  StringEqualsIgnoreCase: plain(equalsIgnoreCase),
  StringNotEqualsIgnoreCase: negated(equalsIgnoreCase),
  StringLike: plain(like),
  StringNotLike: negated(like),
  ArnEquals: plain(like),
  ArnLike: plain(like),
  ArnNotEquals: negated(like),
  ArnNotLike: negated(like),
  Bool: plain(equalsIgnoreCase),
  BinaryEquals: plain(sameBytes),
  IpAddress: plain(isInRange),
  NotIpAddress: negated(isInRange),
  ...comparisons("Numeric", number),
  ...comparisons("Date", date),
};

interface ParsedOperator {
  readonly operator: Operator | "Null";
  readonly set: "ForAnyValue" | "ForAllValues" | undefined;
  readonly isIfExists: boolean;
}

function parseOperator(name: string): ParsedOperator | undefined {
  const match = /^(?:(ForAnyValue|ForAllValues):)?([A-Za-z]+?)(IfExists)?$/.exec(name);
  const [, set, base = "", ifExists] = match ?? [];
  const operator = base === "Null" ? "Null" : Object.hasOwn(operators, base) ? operators[base] : undefined;
  if (!operator) return undefined;
  return { operator, set: set as ParsedOperator["set"], isIfExists: ifExists !== undefined };
}

export const isConditionOperator = (name: string): boolean => parseOperator(name) !== undefined;

/**
 * `${aws:username}` and the like, put in as literal text. Undefined if the request has no such value: then nothing
 * matches.
 */
export function substitute(text: string, context: ConditionContext): string | undefined {
  let isKnown = true;
  const result = text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
    if (name === "*" || name === "?" || name === "$") return name;
    const [key = "", fallback] = name.split(/,\s*/, 2);
    const value = context.get(key.trim().toLowerCase())?.[0] ?? fallback?.replace(/^'|'$/g, "");
    if (value === undefined) isKnown = false;
    return value ?? "";
  });
  return isKnown ? result : undefined;
}

function holdsFor(value: string, wanted: readonly string[], { test, isNegated }: Operator): boolean {
  return wanted.some((candidate) => test(value, candidate)) !== isNegated;
}

function holds(name: string, key: string, wanted: readonly string[], context: ConditionContext): boolean {
  const parsed = parseOperator(name);
  if (!parsed) return false;
  const { operator, set, isIfExists } = parsed;
  const values = context.get(key.toLowerCase());
  if (operator === "Null") return wanted.some((candidate) => (candidate.toLowerCase() === "true") === !values);
  if (!values || values.length === 0) return isIfExists || set === "ForAllValues" || (operator.isNegated && !set);
  const candidates = wanted.flatMap((candidate) => substitute(candidate, context) ?? []);
  const test = (value: string) => holdsFor(value, candidates, operator);
  return set === "ForAllValues" ? values.every(test) : values.some(test);
}

/** All operators and all keys must hold. */
export function conditionsHold(conditions: Conditions, context: ConditionContext): boolean {
  return Object.entries(conditions).every(([operator, block]) =>
    Object.entries(block).every(([key, wanted]) => holds(operator, key, wanted, context)),
  );
}
