/** The inventory as a table that is printed line by line: columns have their width before the first row is known. */
import type { InventorySummary } from "../../key-manager/inventory/inventory.ts";
import { isTroubled } from "../../key-manager/inventory/key-member.ts";
import type { KeyClass, KeyRow } from "../../key-manager/inventory/key-row.ts";
import { printable, type Terminal } from "../output/terminal.ts";
import { type Column, classes, colourOf, columns } from "./columns.ts";
import { membersLine, membersTotals } from "./members-text.ts";

export interface TableOptions {
  readonly terminal: Terminal;
  readonly hasRegions: boolean;
  /** With alias and ARN. */
  readonly isWide: boolean;
}

const wideOnly: ReadonlySet<string> = new Set(["replicas", "alias", "arn"]);

/** These go first where a terminal is narrow. */
const droppable = ["cost", "created", "deletion", "type", "state"];
const narrowServer = 20;

function columnsFor({ terminal, hasRegions, isWide }: TableOptions): readonly Column[] {
  const chosen = columns.filter(({ name }) => (name === "region" ? hasRegions : isWide || !wideOnly.has(name)));
  const room = terminal.columns;
  if (room === undefined || isWide) return chosen;
  const widthOf = (list: readonly Column[]) => list.reduce((sum, { width }) => sum + width + 2, -2);
  if (widthOf(chosen) <= room) return chosen;
  let left = chosen.map((column) => (column.name === "server" ? { ...column, width: narrowServer } : column));
  for (const name of droppable) if (widthOf(left) > room) left = left.filter((column) => column.name !== name);
  return left;
}

/** The middle goes: ids differ at their ends. */
function fitted(text: string, width: number): string {
  if (width === 0 || text.length <= width) return text;
  const head = Math.ceil((width - 1) / 2);
  return `${text.slice(0, head)}…${text.slice(text.length - (width - 1 - head))}`;
}

const padded = (text: string, { width, isRight }: Column): string =>
  isRight ? text.padStart(width) : text.padEnd(width);

const isQuiet = (cls: KeyClass): boolean => cls === "in use" || cls === "pending deletion";

export class KeyTable {
  readonly #columns: readonly Column[];
  readonly #terminal: Terminal;
  readonly #isWide: boolean;
  #isBegun = false;

  constructor(options: TableOptions) {
    this.#columns = columnsFor(options);
    this.#terminal = options.terminal;
    this.#isWide = options.isWide;
  }

  #line(cells: readonly string[]): string {
    return cells.join("  ").trimEnd();
  }

  row(row: KeyRow, now: Date): void {
    const terminal = this.#terminal;
    if (!this.#isBegun) {
      terminal.print(terminal.paint("bold", this.#line(this.#columns.map((column) => padded(column.title, column)))));
    }
    this.#isBegun = true;
    const cells = this.#columns.map((column) => {
      // A server id is worth its room where nothing has to fit.
      const width = terminal.isInteractive && !this.#isWide ? column.width : 0;
      const cell = padded(fitted(column.text(row, now), width), column);
      return column.name === "class" ? terminal.paint(colourOf[row.class], cell) : cell;
    });
    terminal.print(this.#line(cells));
    if (!isQuiet(row.class)) terminal.print(terminal.paint("dim", `  ${printable(row.why)}`));
    if (row.members.length > 0) {
      const colour = row.members.some(isTroubled) ? "yellow" : "dim";
      terminal.print(terminal.paint(colour, `  ${printable(membersLine(row))}`));
    }
  }
}

const count = (number: number, noun: string): string =>
  `${number.toLocaleString("en-US")} ${noun}${number === 1 ? "" : "s"}`;

/** `8 keys of 3 servers in us-east-2: 5 in use, 2 stale, 1 orphaned; $8.00 a month` */
export function totalsText(summary: InventorySummary, region: string): string {
  const { byClass, keys, servers, monthlyCostUsd, membersMonthlyCostUsd, prunable, foreignKeys } = summary;
  const parts = classes.flatMap((cls) => (byClass[cls] > 0 ? [`${byClass[cls].toLocaleString("en-US")} ${cls}`] : []));
  const listed = parts.length === 0 ? "" : `: ${parts.join(", ")}`;
  const dollars = (amount: number) => `$${amount.toLocaleString("en-US", { minimumFractionDigits: 2 })}`;
  const members = membersTotals(summary);
  const withMembers =
    members === undefined ? "" : `, ${dollars(monthlyCostUsd + membersMonthlyCostUsd)} with those in other Regions`;
  return [
    `${count(keys, "key")} of ${count(servers, "server")} in ${region}${listed}`,
    ...(members === undefined ? [] : [members]),
    `${dollars(monthlyCostUsd)} a month at list price${withMembers}`,
    ...(prunable > 0 ? [`${prunable.toLocaleString("en-US")} would be scheduled for deletion by the scans`] : []),
    ...(foreignKeys > 0 ? [`${count(foreignKeys, "key")} of others`] : []),
  ].join("; ");
}
