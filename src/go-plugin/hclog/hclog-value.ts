/** Any value, made fit for a line of JSON. */

const maxDepth = 6;
const maxEntries = 100;

/**
 * A copy of a log field that `JSON.stringify` accepts whatever it was: bigint and symbols as text, errors with their
 * causes, binary as base64, circular and very deep structures cut with a mark. Never throws.
 */
export function toJsonSafe(value: unknown): unknown {
  return visit(value, 0, new Set());
}

function visit(value: unknown, depth: number, ancestors: Set<object>): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : String(value);
    case "bigint":
    case "symbol":
      return String(value);
    case "undefined":
      return undefined;
    case "function":
      return "[function]";
    default:
      return typeof value === "object" && value !== null ? visitObject(value, depth, ancestors) : null;
  }
}

function visitObject(value: object, depth: number, ancestors: Set<object>): unknown {
  if (ancestors.has(value)) return "[circular]";
  if (depth >= maxDepth) return "[too deep]";
  ancestors.add(value);
  try {
    return describe(value, (inner) => visit(inner, depth + 1, ancestors));
  } catch {
    // A getter, a proxy or a toJSON of a foreign object threw; the line matters more than the field.
    return "[unreadable]";
  } finally {
    ancestors.delete(value);
  }
}

function describe(value: object, inner: (value: unknown) => unknown): unknown {
  if (value instanceof Error) return describeError(value, inner);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "[invalid date]" : value.toISOString();
  if (value instanceof RegExp || value instanceof URL) return String(value);
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
  if (value instanceof Map) return inner(Object.fromEntries([...value].map(([key, entry]) => [String(key), entry])));
  if (value instanceof Set) return inner([...value]);
  if (Array.isArray(value)) {
    const kept = value.slice(0, maxEntries).map((entry) => inner(entry) ?? null);
    return value.length > maxEntries ? [...kept, `[${value.length - maxEntries} more]`] : kept;
  }
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return inner(toJSON.call(value));
  const entries = Object.entries(value);
  const kept = entries.slice(0, maxEntries).map(([key, entry]) => [key, inner(entry)]);
  if (entries.length > maxEntries) kept.push(["…", `[${entries.length - maxEntries} more]`]);
  return Object.fromEntries(kept);
}

/** One line of text, since hosts print structures poorly: name, code, message and causes, without stack traces. */
function describeError(error: Error, inner: (value: unknown) => unknown): string {
  const { code } = error as { code?: unknown };
  const mark = typeof code === "string" || typeof code === "number" ? ` [${code}]` : "";
  const parts = [`${error.name}${mark}: ${error.message}`];
  if (error instanceof AggregateError)
    parts.push(...error.errors.slice(0, maxEntries).map((one) => asText(inner(one))));
  if (error.cause !== undefined) parts.push(`caused by ${asText(inner(error.cause))}`);
  return parts.join("; ");
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
}
