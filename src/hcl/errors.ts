/** Why a text is refused, and where. */

/** A place in the text that was parsed: both numbers start at 1; columns count characters (code points), not bytes. */
export interface HclPosition {
  readonly line: number;
  readonly column: number;
}

/**
 * Why a text was refused.
 *
 * - `INVALID_CHARACTER`: a character HCL 1 has no use for at that place, or never allows (NUL, U+E123, half a surrogate pair)
 * - `UNTERMINATED_COMMENT`, `UNTERMINATED_STRING`, `UNTERMINATED_HEREDOC`: the end is missing
 * - `INVALID_HEREDOC`: no usable anchor after `<<`
 * - `INVALID_ESCAPE`: a backslash sequence that does not exist or names no character
 * - `INVALID_NUMBER`: a number that cannot be read
 * - `UNEXPECTED_TOKEN`, `UNEXPECTED_END`: the grammar wants something else there
 * - `TOO_DEEP`: nested deeper than {@link maxNesting}
 * - `WRONG_TYPE`: well-formed text, but the value is of another type than the reader asked for
 * - `UNPRINTABLE`: a value HCL 1 cannot express was handed to the printer
 */
export type HclErrorCode =
  | "INVALID_CHARACTER"
  | "UNTERMINATED_COMMENT"
  | "UNTERMINATED_STRING"
  | "UNTERMINATED_HEREDOC"
  | "INVALID_HEREDOC"
  | "INVALID_ESCAPE"
  | "INVALID_NUMBER"
  | "UNEXPECTED_TOKEN"
  | "UNEXPECTED_END"
  | "TOO_DEEP"
  | "WRONG_TYPE"
  | "UNPRINTABLE";

/** Deepest nesting of objects, lists and labels together. hcl1 has no limit of its own; ours keeps recursion off the end of the stack. */
export const maxNesting = 500;

/**
 * The only error this folder throws.
 *
 * The message starts with the place and never quotes the text around it: a plugin's configuration holds
 * credentials, and error messages end in logs.
 */
export class HclError extends Error {
  override readonly name = "HclError";
  readonly code: HclErrorCode;
  /** 1-based; 0 when the error is not about a text (`UNPRINTABLE`). */
  readonly line: number;
  /** 1-based, in characters; 0 when the error is not about a text. */
  readonly column: number;

  constructor(code: HclErrorCode, message: string, position?: HclPosition, options?: ErrorOptions) {
    super(position ? `line ${position.line}, column ${position.column}: ${message}` : message, options);
    this.code = code;
    this.line = position?.line ?? 0;
    this.column = position?.column ?? 0;
  }
}
