/** What the demonstration tells and counts; in colour, and with what is under way, where a person looks. */
import { progressBar, type Terminal } from "../output/terminal.ts";

/** Output of a demonstration: headings, remarks, and checks that pass or fail. */
export class Checks {
  #passed = 0;
  #failed = 0;
  #headings = 0;
  readonly #terminal: Terminal;
  readonly #steps: number;

  /** @param steps how many headings there will be, for progress */
  constructor(terminal: Terminal, steps: number) {
    this.#terminal = terminal;
    this.#steps = steps;
  }

  heading(text: string): void {
    this.#headings++;
    this.#terminal.print(`\n${this.#terminal.paint("bold", text)}`);
  }

  /** What takes a moment now; shown on a terminal until something else is. */
  doing(text: string): void {
    this.#terminal.status(`${progressBar(this.#headings, this.#steps)}  ${text}`);
  }

  remark(text: string): void {
    for (const line of text.split("\n")) this.#terminal.print(`    ${line}`);
  }

  check(isTrue: boolean, text: string): void {
    if (isTrue) this.#passed++;
    else this.#failed++;
    const mark = isTrue ? this.#terminal.paint("green", "ok  ") : this.#terminal.paint("red", "FAIL");
    this.#terminal.print(`  ${mark} ${text}`);
  }

  /** Columns padded to their widest cell; the first row is the head. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
    for (const [index, row] of rows.entries()) {
      const line = row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd();
      this.#terminal.print(`  ${index === 0 ? this.#terminal.paint("dim", line) : line}`);
    }
  }

  /** Takes away what {@link doing} shows. */
  pause(): void {
    this.#terminal.endStatus();
  }

  /** Prints the sum. @returns the exit code */
  finish(): 0 | 1 {
    const failed = this.#failed === 0 ? "" : `, ${this.#failed} failed`;
    const sum = `demo: ${this.#passed} checks passed${failed}`;
    this.#terminal.print(`\n${this.#terminal.paint(this.#failed === 0 ? "green" : "red", sum)}`);
    return this.#failed === 0 ? 0 : 1;
  }
}
