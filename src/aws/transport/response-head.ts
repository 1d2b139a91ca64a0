/**
 * The head of a plain HTTP/1.1 answer: the only form that is read here rather than by Node's own parser.
 *
 * Plain is what AWS sends: one status line, each header once, and a body whose length is told. Whatever could be read in two
 * ways (transfer encodings, two lengths, folded lines, bare line breaks, an old version) is not plain, and is Node's to read.
 */

export interface ResponseHead {
  readonly statusCode: number;
  readonly reason: string;
  /** By name in lower case; made when they are asked for, which is seldom. */
  readonly headers: Readonly<Record<string, string>>;
  /** One of them, without making all. */
  get(name: string): string | undefined;
  /** Bytes of the body. */
  readonly length: number;
  /** How long the server keeps the idle connection: undefined if it does not say, 0 if it closes it now. */
  readonly keptMs: number | undefined;
}

const statusLine = /^HTTP\/1\.1 ([2-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const lengthText = /^\d{1,9}$/;
/** What may not stand in a head, and line breaks that are half of one. */
const odd = /[^\t\r\n\x20-\x7e\x80-\xff]|\r(?!\n)|(?<!\r)\n/;

/** Answers with these have no body, whatever they say. */
const bodiless = new Set([204, 205, 304]);
/** Headers that change how an answer is framed, or what the connection is. */
const unusual = new Set(["transfer-encoding", "upgrade", "trailer", "content-encoding", "__proto__"]);

/** A server writes the same names again and again: what is known of each, undefined for one that is not plain. */
const knownNames = new Map<string, string | undefined>();
const maxKnownNames = 100;

function readName(written: string): string | undefined {
  const known = knownNames.get(written);
  if (known !== undefined) return known;
  const name = written.toLowerCase();
  if (!token.test(name) || unusual.has(name)) return undefined;
  if (knownNames.size < maxKnownNames && written.length < 64) knownNames.set(written, name);
  return name;
}

/** Without the spaces and tabs around it, and no other character. */
function trimmed(value: string): string {
  let [start, end] = [0, value.length];
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

const isBlank = (code: number): boolean => code === 0x20 || code === 0x09;

class PlainHead implements ResponseHead {
  readonly statusCode: number;
  readonly reason: string;
  readonly #names: readonly string[];
  readonly #values: readonly string[];
  #headers: Readonly<Record<string, string>> | undefined;

  constructor(status: string, reason: string, names: readonly string[], values: readonly string[]) {
    this.statusCode = Number(status);
    this.reason = reason;
    this.#names = names;
    this.#values = values;
  }

  get headers(): Readonly<Record<string, string>> {
    this.#headers ??= Object.fromEntries(this.#names.map((name, index) => [name, this.#value(index)]));
    return this.#headers;
  }

  get length(): number {
    return Number(this.get("content-length"));
  }

  get keptMs(): number | undefined {
    const connection = this.get("connection");
    if (connection !== undefined && !/^keep-alive$/i.test(connection)) return 0;
    const kept = this.get("keep-alive");
    const [, seconds] = kept === undefined ? [] : (/^timeout=(\d{1,6})(?:$|[ ,;])/i.exec(kept) ?? []);
    return seconds === undefined ? undefined : Number(seconds) * 1000;
  }

  get(name: string): string | undefined {
    const index = this.#names.indexOf(name);
    return index < 0 ? undefined : this.#value(index);
  }

  #value(index: number): string {
    return trimmed(this.#values[index] ?? "");
  }
}

/** Answers begin alike. */
let latestLine: { readonly text: string; readonly status: string; readonly reason: string } | undefined;

function readLine(text: string): typeof latestLine {
  if (latestLine?.text === text) return latestLine;
  const [, status, reason = ""] = statusLine.exec(text) ?? [];
  if (status === undefined || bodiless.has(Number(status))) return undefined;
  latestLine = { text, status, reason };
  return latestLine;
}

/**
 * @param text the bytes before the empty line, as latin1
 * @returns undefined for what is not plain
 */
export function readHead(text: string): ResponseHead | undefined {
  if (odd.test(text)) return undefined;
  let end = text.indexOf("\r\n");
  const line = end < 0 ? undefined : readLine(text.slice(0, end));
  if (line === undefined) return undefined;
  const names: string[] = [];
  const values: string[] = [];
  while (end < text.length) {
    const start = end + 2;
    end = text.indexOf("\r\n", start);
    if (end < 0) end = text.length;
    const colon = text.indexOf(":", start);
    const name = colon < 0 || colon > end ? undefined : readName(text.slice(start, colon));
    if (name === undefined || names.includes(name)) return undefined;
    names.push(name);
    values.push(text.slice(colon + 1, end));
  }
  const head = new PlainHead(line.status, line.reason, names, values);
  return lengthText.test(head.get("content-length") ?? "") ? head : undefined;
}
