/** A place in the text that was parsed: both numbers start at 1; columns count characters (code points), not bytes. */
export type HclPosition = { readonly line: number; readonly column: number };

/**
 * Why a text was refused.
 *
 * - `invalid_character`: a character HCL 1 has no use for at that place, or never allows (NUL, U+E123, half a surrogate pair)
 * - `unterminated_comment`, `unterminated_string`, `unterminated_heredoc`: the end is missing
 * - `invalid_heredoc`: no usable anchor after `<<`
 * - `invalid_escape`: a backslash sequence that does not exist or names no character
 * - `invalid_number`: a number that cannot be read
 * - `unexpected_token`, `unexpected_end`: the grammar wants something else there
 * - `too_deep`: nested deeper than {@link MAX_NESTING}
 * - `wrong_type`: well-formed text, but the value is of another type than the reader asked for
 * - `unprintable`: a value HCL 1 cannot express was handed to the printer
 */
export type HclErrorCode =
  | "invalid_character"
  | "unterminated_comment"
  | "unterminated_string"
  | "unterminated_heredoc"
  | "invalid_heredoc"
  | "invalid_escape"
  | "invalid_number"
  | "unexpected_token"
  | "unexpected_end"
  | "too_deep"
  | "wrong_type"
  | "unprintable";

/** Deepest nesting of objects, lists and labels together. hcl1 has no limit of its own; ours keeps recursion off the end of the stack. */
export const MAX_NESTING = 500;

/**
 * The only error this folder throws.
 *
 * The message starts with the place and never quotes the text around it: a plugin's configuration holds
 * credentials, and error messages end in logs.
 */
export class HclError extends Error {
  override readonly name = "HclError";
  readonly code: HclErrorCode;
  /** 1-based; 0 when the error is not about a text (`unprintable`). */
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
