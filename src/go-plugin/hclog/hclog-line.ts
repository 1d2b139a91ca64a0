/** One line of go-hclog's JSON form: written for the host, read by a host. */
import { toJsonSafe } from "./hclog-value.ts";
import { type LogFields, type LogLevel, logLevels } from "./logger.ts";

/**
 * Bytes of a line without its newline. go-plugin reads the plugin's stderr through a 64 KiB buffer and hands on a longer
 * line in pieces that no longer parse.
 */
export const maxLineBytes = 64 * 1024 - 1;

/** Message and field texts are cut to this many bytes when a line is too long, then to half of it, and so on. */
const firstCutBytes = 8 * 1024;
const lastCutBytes = 32;

export interface HclogEntry {
  readonly level: LogLevel;
  readonly message: string;
  /** Names joined by dots; empty for none. */
  readonly module: string;
  readonly timestamp: Date;
  readonly fields: LogFields;
}

/** One line of go-hclog's JSON form, without the newline and never longer than {@link maxLineBytes}. Never throws. */
export function formatHclogLine(entry: HclogEntry): string {
  const fields = safeFields(entry.fields);
  const whole = stringify(entry, entry.message, fields);
  if (Buffer.byteLength(whole) <= maxLineBytes) return whole;
  for (let limit = firstCutBytes; limit >= lastCutBytes; limit /= 2) {
    const cut = stringify(entry, cutText(entry.message, limit), cutFields(fields, limit));
    if (Buffer.byteLength(cut) <= maxLineBytes) return cut;
  }
  const note = { fields_dropped: Object.keys(fields).length };
  return stringify(
    { ...entry, module: cutText(entry.module, lastCutBytes) },
    cutText(entry.message, firstCutBytes),
    note,
  );
}

function stringify(entry: HclogEntry, message: string, fields: Record<string, unknown>): string {
  const head = {
    "@level": entry.level,
    "@message": message,
    ...(entry.module === "" ? {} : { "@module": entry.module }),
    "@timestamp": formatTimestamp(entry.timestamp),
  };
  return escapeLineSeparators(JSON.stringify({ ...head, ...fields }));
}

/** Go parses exactly six fractional digits and a zone; a Date has three. */
function formatTimestamp(time: Date): string {
  const iso = Number.isNaN(time.getTime()) ? "1970-01-01T00:00:00.000Z" : time.toISOString();
  return iso.replace("Z", "000Z");
}

/** U+2028 and U+2029 are legal in JSON, yet some line readers break at them. */
function escapeLineSeparators(json: string): string {
  return json.replace(/[\u2028\u2029]/g, (char) => (char === "\u2028" ? "\\u2028" : "\\u2029"));
}

function safeFields(fields: LogFields): Record<string, unknown> {
  const safe = toJsonSafe(fields);
  if (typeof safe !== "object" || safe === null) return {};
  // A field cannot take the place of "@message" and its like: go-plugin's reader panics on a wrong type there.
  return Object.fromEntries(
    Object.entries(safe).map(([key, value]) => [key.startsWith("@") ? `field_${key.slice(1)}` : key, value]),
  );
}

function cutFields(fields: Record<string, unknown>, limit: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      const fits = text === undefined || Buffer.byteLength(text) <= limit;
      return [cutText(key, limit), fits ? value : cutText(text, limit)];
    }),
  );
}

function cutText(text: string, limit: number): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= limit) return text;
  // toString turns a character cut in half into U+FFFD; the mark follows anyway.
  return `${Buffer.from(text).subarray(0, limit).toString()}…[cut, ${bytes} bytes]`;
}

/**
 * Reads one line as a host does.
 *
 * @returns undefined for a line that is not hclog's JSON form; hosts log such a line as it stands.
 */
export function parseHclogLine(line: string): HclogEntry | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return undefined;
  const {
    "@level": level,
    "@message": message,
    "@module": module,
    "@timestamp": timestamp,
    ...fields
  } = parsed as LogFields;
  const knownLevel = logLevels.find((name) => name === level);
  if (knownLevel === undefined || typeof message !== "string" || typeof timestamp !== "string") return undefined;
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/.test(timestamp)) return undefined;
  return {
    level: knownLevel,
    message,
    module: typeof module === "string" ? module : "",
    timestamp: new Date(timestamp),
    fields,
  };
}
