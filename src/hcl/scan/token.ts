/** The tokens of both forms. */
import type { HclPosition } from "../errors.ts";

/** Token types of the HCL and JSON lexers together. `ident` and `heredoc` occur in HCL only, `colon` and `null` in JSON only. */
export type TokenType =
  | "end"
  | "ident"
  | "number"
  | "float"
  | "bool"
  | "null"
  | "string"
  | "heredoc"
  | "["
  | "]"
  | "{"
  | "}"
  | ","
  | "."
  | "="
  | "+"
  | "-"
  | ":";

/** `text` is the exact source text, quotes and heredoc anchors included (line endings already normalized in HCL). */
export interface Token {
  readonly type: TokenType;
  readonly text: string;
  readonly position: HclPosition;
}

const tokenNames: Partial<Record<TokenType, string>> = {
  end: "the end of the text",
  ident: "a bare word",
  number: "a number",
  float: "a number",
  bool: "true or false",
  null: "null",
  string: "a quoted string",
  heredoc: "a heredoc",
};

/** Names a token for an error message without quoting its text, which may be a secret. */
export function describeToken(token: Token): string {
  return tokenNames[token.type] ?? `"${token.type}"`;
}
