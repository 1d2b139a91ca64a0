/**
 * The head of a plain HTTP/1.1 answer: the only form that is read here rather than by Node's own parser.
 *
 * Plain is what AWS sends: one status line, each header once, and a body whose length is told. Whatever could be read in two
 * ways (transfer encodings, two lengths, folded lines, bare line breaks, an old version) is not plain, and is Node's to read.
 */

export interface ResponseHead {
  readonly statusCode: number;
  readonly reason: string;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Bytes of the body. */
  readonly length: number;
  /** How long the server keeps the idle connection: undefined if it does not say, 0 if it closes it now. */
  readonly keptMs: number | undefined;
}

const statusLine = /^HTTP\/1\.1 ([2-5]\d\d) ([\t\x20-\x7e\x80-\xff]*)$/;
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const fieldText = /^[\t\x20-\x7e\x80-\xff]*$/;
const lengthText = /^\d{1,9}$/;

/** Answers with these have no body, whatever they say. */
const bodiless = new Set([204, 205, 304]);
/** Headers that change how an answer is framed, or what the connection is. */
const unusual = new Set(["transfer-encoding", "upgrade", "trailer", "content-encoding", "__proto__"]);

function keptMsFrom(headers: Readonly<Record<string, string>>): number | undefined {
  const { connection } = headers;
  if (connection !== undefined && !/^keep-alive$/i.test(connection)) return 0;
  const [, seconds] = /^timeout=(\d{1,6})(?:$|[ ,;])/i.exec(headers["keep-alive"] ?? "") ?? [];
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

/**
 * @param text the bytes before the empty line, as latin1
 * @returns undefined for what is not plain
 */
export function readHead(text: string): ResponseHead | undefined {
  const [first = "", ...lines] = text.split("\r\n");
  const [, status, reason = ""] = statusLine.exec(first) ?? [];
  if (status === undefined || bodiless.has(Number(status))) return undefined;
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, Math.max(0, colon)).toLowerCase();
    const value = line.slice(colon + 1);
    if (!token.test(name) || !fieldText.test(value) || unusual.has(name) || Object.hasOwn(headers, name)) {
      return undefined;
    }
    headers[name] = trimmed(value);
  }
  const length = headers["content-length"];
  if (length === undefined || !lengthText.test(length)) return undefined;
  return { statusCode: Number(status), reason, headers, length: Number(length), keptMs: keptMsFrom(headers) };
}

/** Without the spaces and tabs around it, and no other character. */
const trimmed = (value: string): string => value.replace(/^[\t ]+|[\t ]+$/g, "");
