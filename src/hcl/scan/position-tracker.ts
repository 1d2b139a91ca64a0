/** From an offset to a line and a column. */
import type { HclPosition } from "../errors.ts";

/**
 * Turns offsets into line and column.
 *
 * Lexers ask for ever growing offsets, so each character is walked once; going back starts over and is left to errors.
 */
export class PositionTracker {
  readonly #text: string;
  #offset = 0;
  #line = 1;
  #column = 1;

  constructor(text: string) {
    this.#text = text;
  }

  at(offset: number): HclPosition {
    if (offset < this.#offset) {
      this.#offset = 0;
      this.#line = 1;
      this.#column = 1;
    }
    while (this.#offset < offset) {
      const unit = this.#text.charCodeAt(this.#offset);
      if (unit === 0x0a) {
        this.#line++;
        this.#column = 1;
      } else if (unit < 0xdc00 || unit > 0xdfff) {
        // The second half of a surrogate pair is no character of its own.
        this.#column++;
      }
      this.#offset++;
    }
    return { line: this.#line, column: this.#column };
  }
}
