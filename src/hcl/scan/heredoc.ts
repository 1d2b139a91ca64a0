/** Heredocs: where they end, and what they say. */
import type { HclErrorCode } from "../errors.ts";
import { decodeUtf8LikeGo } from "./go-utf8.ts";

/** `end` is the offset after the newline that follows the closing anchor, or of the problem. */
export interface HeredocScan {
  readonly end: number;
  readonly problem?: HclErrorCode;
}

const openingPattern = /-?[\p{L}\p{Nd}_]*/uy;
const spacesOnly = /^[\t\n\v\f\r ]*$/;

/** True when the line is white space, the anchor, and nothing but carriage returns after it. */
function closes(line: string, anchor: string): boolean {
  let end = line.length;
  while (end > 0 && line[end - 1] === "\r") end--;
  // An anchor can itself end in one carriage return (a line that ended in \r\r\n); the line then needs one too.
  const core = anchor.endsWith("\r") ? anchor.slice(0, -1) : anchor;
  if (line.length - end < anchor.length - core.length) return false;
  return line.slice(0, end).endsWith(core) && spacesOnly.test(line.slice(0, end - core.length));
}

/** A heredoc whose `<` is at `offset`, as hcl1's scanner delimits it. */
export function scanHeredoc(text: string, offset: number): HeredocScan {
  if (text[offset + 1] !== "<") return { end: offset + 1, problem: "INVALID_HEREDOC" };
  openingPattern.lastIndex = offset + 2;
  openingPattern.test(text);
  let lineEnd = openingPattern.lastIndex;
  if (lineEnd >= text.length) return { end: lineEnd, problem: "UNTERMINATED_HEREDOC" };
  if (text[lineEnd] === "\r" && text[lineEnd + 1] === "\n") lineEnd++;
  if (text[lineEnd] !== "\n") return { end: lineEnd, problem: "INVALID_HEREDOC" };
  const opening = text.slice(offset + 2, lineEnd);
  if (opening === "" || opening === "-") return { end: lineEnd, problem: "INVALID_HEREDOC" };
  const anchor = opening.startsWith("-") ? opening.slice(1) : opening;
  const openingBytes = Buffer.byteLength(opening);
  for (let start = lineEnd + 1; ; ) {
    const newline = text.indexOf("\n", start);
    if (newline < 0) return { end: text.length, problem: "UNTERMINATED_HEREDOC" };
    const line = text.slice(start, newline);
    // hcl1 counts the dash of `<<-EOF` into the shortest closing line: there an `EOF` in the first column closes nothing.
    if (closes(line, anchor) && Buffer.byteLength(line) >= openingBytes) return { end: newline + 1 };
    start = newline + 1;
  }
}

function trimBlanks(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === " " || text[end - 1] === "\t")) end--;
  return text.slice(0, end);
}

/**
 * The value of a heredoc token (`<<EOF\n…EOF\n`).
 *
 * hcl1 removes as many bytes from the end as the opening line has, so white space before a closing anchor stays in
 * the value of a plain heredoc. `<<-` takes the closing line's indentation off every line, or off none but the last
 * when any line (an empty one too) has less of it.
 */
export function heredocValue(token: string): string {
  const bytes = Buffer.from(token, "utf8");
  const start = bytes.indexOf(0x0a) + 1;
  const end = bytes.length - start + 2;
  if (token[2] !== "-") return decodeUtf8LikeGo(bytes.subarray(start, end));
  const lines = decodeUtf8LikeGo(bytes.subarray(start, end + 1)).split("\n");
  const indentation = lines.at(-1) ?? "";
  if (!lines.every((line) => line.startsWith(indentation))) {
    return trimBlanks(decodeUtf8LikeGo(bytes.subarray(start, end)));
  }
  return [...lines.slice(0, -1).map((line) => line.slice(indentation.length)), ""].join("\n");
}
