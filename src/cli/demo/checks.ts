/** What the demonstration tells and counts. */

/** Output of a demonstration: headings, remarks, and checks that pass or fail. */
export class Checks {
  #passed = 0;
  #failed = 0;
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  heading(text: string): void {
    this.#print(`\n${text}`);
  }

  remark(text: string): void {
    for (const line of text.split("\n")) this.#print(`    ${line}`);
  }

  check(isTrue: boolean, text: string): void {
    if (isTrue) this.#passed++;
    else this.#failed++;
    this.#print(`  ${isTrue ? "ok  " : "FAIL"} ${text}`);
  }

  /** Columns padded to their widest cell; the first row is the head. */
  table(rows: readonly (readonly string[])[]): void {
    const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)));
    for (const row of rows)
      this.#print(
        `  ${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd()}`,
      );
  }

  /** Prints the sum. @returns the exit code */
  finish(): 0 | 1 {
    const failed = this.#failed === 0 ? "" : `, ${this.#failed} failed`;
    this.#print(`\ndemo: ${this.#passed} checks passed${failed}`);
    return this.#failed === 0 ? 0 : 1;
  }
}
