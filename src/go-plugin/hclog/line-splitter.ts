/**
 * Cuts a byte stream into lines, without their line ends. A line longer than `maxBytes` comes in pieces, as in go-plugin.
 */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  readonly #maxBytes: number;
  #rest: Buffer = Buffer.alloc(0);

  constructor(onLine: (line: string) => void, maxBytes: number) {
    this.#onLine = onLine;
    this.#maxBytes = maxBytes;
  }

  push(data: Buffer): void {
    let rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      this.#emit(rest.subarray(0, end));
      rest = rest.subarray(end + 1);
    }
    while (rest.length > this.#maxBytes) {
      this.#emit(rest.subarray(0, this.#maxBytes));
      rest = rest.subarray(this.#maxBytes);
    }
    this.#rest = Buffer.from(rest);
  }

  /** The last line, if the stream ended without a line end. */
  end(): void {
    if (this.#rest.length > 0) this.#emit(this.#rest);
    this.#rest = Buffer.alloc(0);
  }

  #emit(line: Buffer): void {
    this.#onLine(line.toString().replace(/\r$/, ""));
  }
}
