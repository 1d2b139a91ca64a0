import { isDeepStrictEqual } from "node:util";
import { type GoValue, toGoInterface } from "../../../src/hcl/decode/go-interface.ts";
import { HclError, type HclObject, type HclValue, parseHcl } from "../../../src/hcl/index.ts";
import type { Answer, TypedValue } from "./go-reference.ts";

/** Where our parser and Go's part, in words; `declared` when the README of src/hcl says so itself. */
export interface Difference {
  readonly what: string;
  readonly declared: boolean;
}

function floatBits(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString("hex");
}

function typed(value: GoValue): TypedValue {
  switch (value.type) {
    case "bool":
      return { b: value.value };
    case "int":
      return { i: String(value.value) };
    case "float":
      return { f: floatBits(value.value) };
    case "string":
      return { s: value.value };
    case "list":
      return { l: value.values.map(typed), e: value.elements };
    case "map":
      return { m: [...value.entries].map(([key, entry]) => [key, typed(entry)] as const) };
  }
}

/** Go's maps have no order. */
function sorted(value: TypedValue): TypedValue {
  if ("l" in value) return { l: value.l.map(sorted), e: value.e };
  if (!("m" in value)) return value;
  const pairs = value.m.map(([key, entry]) => [key, sorted(entry)] as const);
  return { m: pairs.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)) };
}

type Attempt<T> = { readonly value: T } | { readonly refused: HclError };

/** Anything but an HclError is a bug by itself and goes up. */
function attempt<T>(run: () => T): Attempt<T> {
  try {
    return { value: run() };
  } catch (error) {
    if (error instanceof HclError) return { refused: error };
    throw error;
  }
}

function valuePositions(value: HclValue): [number, number][] {
  const own: [number, number][] = [[value.position.line, value.position.column]];
  if (value.kind === "object") return [...own, ...itemPositions(value)];
  return value.kind === "list" ? [...own, ...value.items.flatMap(valuePositions)] : own;
}

function itemPositions(object: HclObject): [number, number][] {
  return object.items.flatMap((item) => [
    ...item.keys.map(({ position }): [number, number] => [position.line, position.column]),
    ...valuePositions(item.value),
  ]);
}

function show(outcome: Attempt<unknown>): string {
  return "refused" in outcome
    ? `refused (${outcome.refused.code}: ${outcome.refused.message})`
    : JSON.stringify(outcome.value);
}

function differ(
  what: string,
  go: { value: unknown; refused?: string },
  ours: Attempt<unknown>,
): Difference | undefined {
  const isSame =
    go.refused === undefined ? "value" in ours && isDeepStrictEqual(go.value, ours.value) : "refused" in ours;
  if (isSame) return undefined;
  const theirs = go.refused === undefined ? JSON.stringify(go.value) : `refused (${go.refused})`;
  return { what: `${what}: go ${theirs}, ours ${show(ours)}`, declared: false };
}

/** hcl1 stops at the same token as we do; for its scanner's errors it names the end, and the last of several. */
function compareErrorPlace(error: HclError, refused: string | undefined): Difference | undefined {
  const place = refused?.match(/At \d+:\d+/g)?.at(-1);
  const ours = `At ${error.line}:${error.column}`;
  if (error.code !== "UNEXPECTED_TOKEN" || place === undefined || place === ours) return undefined;
  return { what: `place of the error: go ${place}, ours ${ours}`, declared: false };
}

/** The value as both sides are asked for it first, an order given to Go's maps; for vectors as well. */
export function decodeTyped(text: string): TypedValue {
  return sorted(typed(toGoInterface(parseHcl(text))));
}

/** Go's own answer in the form of {@link decodeTyped}; undefined when it refused. */
export function goDecoded(answer: Answer): TypedValue | undefined {
  return answer.decoded.refused === undefined ? sorted(answer.decoded.value) : undefined;
}

/** The first difference between what Go answered and what we make of the same text. */
export function compare(text: string, answer: Answer): Difference | undefined {
  const tree = attempt(() => parseHcl(text));
  if ("refused" in tree && tree.refused.code === "TOO_DEEP") return { what: "too deep for us", declared: true };
  const { decoded, positions } = answer;
  const go = decoded.refused === undefined ? { value: sorted(decoded.value) } : decoded;
  const difference = differ(
    "decoded",
    go,
    attempt(() => decodeTyped(text)),
  );
  if (difference) return difference;
  if ("refused" in tree) return compareErrorPlace(tree.refused, positions.refused);
  if (positions.refused !== undefined) return undefined;
  return differ("positions", positions, { value: itemPositions(tree.value) });
}
