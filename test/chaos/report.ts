/**
 * The tables of docs/reliability.md, written by the suites that measure them: with `RELIABILITY_REPORT=1` a section between
 * its two comments is replaced by what has just been seen. Without it nothing is written.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const page = fileURLToPath(new URL("../../docs/reliability.md", import.meta.url));

const row = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

export const isReporting = process.env.RELIABILITY_REPORT === "1";

/** Replaces a section of the page, if asked to. */
export function reportTable(section: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  reportText(section, [row(head), row(head.map(() => "---")), ...rows.map(row)].join("\n"));
}

export function reportText(section: string, text: string): void {
  if (!isReporting) return;
  const begin = `<!-- ${section}: written by the suite -->`;
  const end = `<!-- end of ${section} -->`;
  const old = readFileSync(page, "utf8");
  const from = old.indexOf(begin);
  const to = old.indexOf(end);
  if (from < 0 || to < from) throw new Error(`docs/reliability.md has no section ${section}`);
  writeFileSync(page, `${old.slice(0, from + begin.length)}\n${text}\n${old.slice(to)}`);
}

/** A table of what became of keys: who or what each row is, which path each column is. */
export class Sweep {
  readonly #section: string;
  readonly #head: string;
  readonly #columns = new Set<string>();
  readonly #rows = new Map<string, Map<string, string>>();

  constructor(section: string, head: string) {
    this.#section = section;
    this.#head = head;
  }

  /** @param state as KMS has it in the end */
  saw(row: string, column: string, state: string): void {
    const cells = this.#rows.get(row) ?? new Map<string, string>();
    this.#rows.set(
      row,
      cells.set(column, state === "PendingDeletion" ? "goes" : state === "Enabled" ? "stays" : state),
    );
    this.#columns.add(column);
  }

  /** Writes the section, if asked to. */
  report(): void {
    const columns = [...this.#columns];
    const rows = [...this.#rows].map(([row, cells]) => [row, ...columns.map((column) => cells.get(column) ?? "–")]);
    reportTable(this.#section, [this.#head, ...columns], rows);
  }
}
