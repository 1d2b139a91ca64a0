/** What `doctor` has found: one thing that is right, wrong, or cannot be told. */

/**
 * - `ok`: it is as it must be
 * - `warning`: SPIRE Server starts, and something will go wrong later
 * - `problem`: SPIRE Server would fail: at its start, or at its first key
 * - `unknown`: no harmless call can tell
 */
export type Level = "ok" | "warning" | "problem" | "unknown";

/** The worst first. */
export const levels = ["problem", "warning", "unknown", "ok"] as const satisfies readonly Level[];

export interface Finding {
  /** The group of checks that it is of. */
  readonly check: string;
  readonly level: Level;
  readonly finding: string;
  /** What to do about it; of everything that is not `ok`. */
  readonly remedy?: string;
  /** Of a check for a permission. */
  readonly permission?: string;
}

/** Gathers the findings of one group. */
export class Findings {
  readonly #check: string;
  readonly #tell: (finding: Finding) => void;

  constructor(check: string, tell: (finding: Finding) => void) {
    this.#check = check;
    this.#tell = tell;
  }

  ok(finding: string, more: Pick<Finding, "permission"> = {}): void {
    this.#tell({ check: this.#check, level: "ok", finding, ...more });
  }

  warning(finding: string, remedy: string, more: Pick<Finding, "permission"> = {}): void {
    this.#tell({ check: this.#check, level: "warning", finding, remedy, ...more });
  }

  problem(finding: string, remedy: string, more: Pick<Finding, "permission"> = {}): void {
    this.#tell({ check: this.#check, level: "problem", finding, remedy, ...more });
  }

  unknown(finding: string, remedy: string, more: Pick<Finding, "permission"> = {}): void {
    this.#tell({ check: this.#check, level: "unknown", finding, remedy, ...more });
  }
}
