/** The values that tokens stand for. */
import type { HclKey, HclValue } from "./ast.ts";
import { HclError, type HclErrorCode } from "./errors.ts";
import { heredocValue } from "./scan/heredoc.ts";
import type { Token } from "./scan/token.ts";
import { unquote } from "./scan/unquote.ts";

const integerPattern = /^-?(?:0[xX][0-9a-fA-F]+|[0-9]+)$/;
const floatPattern = /^-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const octalPattern = /^-?0[0-9]+$/;

/** Which of hcl1's two unquoting rules holds. */
export type LiteralForm = "hcl" | "json";

function refuse(code: HclErrorCode, message: string, token: Token): never {
  throw new HclError(code, message, token.position);
}

function stringValue(token: Token, form: LiteralForm): string {
  const value = unquote(token.text.slice(1, -1), form);
  return value ?? refuse("INVALID_ESCAPE", "the quoted string holds an escape or character HCL cannot read", token);
}

/** hcl1's integers: decimal, hexadecimal, or octal after a leading 0. NaN for digits that are no octal number. */
function integerValue(text: string): number {
  const sign = text.startsWith("-") ? -1 : 1;
  if (!octalPattern.test(text)) return sign * Number(sign < 0 ? text.slice(1) : text);
  return /[89]/.test(text) ? Number.NaN : Number.parseInt(text, 8);
}

export function readKey(token: Token, form: LiteralForm): HclKey {
  const isQuoted = token.type === "string";
  return { name: isQuoted ? stringValue(token, form) : token.text, isQuoted, position: token.position };
}

/** The value a literal token stands for. */
export function readLiteral(token: Token, form: LiteralForm): HclValue {
  const { text, position } = token;
  switch (token.type) {
    case "bool":
      return { kind: "bool", value: text === "true", position };
    case "number":
      if (!integerPattern.test(text)) refuse("INVALID_NUMBER", "expected only digits in the number", token);
      return { kind: "number", text, value: integerValue(text), isInteger: true, position };
    case "float":
      if (!floatPattern.test(text)) refuse("INVALID_NUMBER", "expected digits after the exponent letter", token);
      return { kind: "number", text, value: Number(text), isInteger: false, position };
    case "heredoc":
      return { kind: "string", value: heredocValue(text), form: "heredoc", position };
    case "null":
      return { kind: "string", value: "", form: "null", position };
    default:
      return { kind: "string", value: stringValue(token, form), form: "quoted", position };
  }
}
