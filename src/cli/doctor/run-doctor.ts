/** One run of `spire-aws-kms doctor`: findings as they come, and whether SPIRE Server would fail. */
import { CallCounter } from "../call-counter.ts";
import { type ExitCode, exitCodes } from "../output/exit-codes.ts";
import { jsonText } from "../output/json-document.ts";
import type { CommandContext, CommandOutputFlags } from "../output/run-command.ts";
import { type Colour, printable, type Terminal } from "../output/terminal.ts";
import { type ExamineFlags, examine } from "./examine.ts";
import type { Finding, Level } from "./finding.ts";

export interface DoctorFlags extends ExamineFlags, CommandOutputFlags {
  readonly quiet?: boolean;
}

const colours: Readonly<Record<Level, Colour>> = { ok: "green", warning: "yellow", problem: "red", unknown: "cyan" };

class DoctorText {
  readonly #terminal: Terminal;
  #check = "";

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  tell({ check, level, finding, remedy }: Finding): void {
    const terminal = this.#terminal;
    if (check !== this.#check) terminal.print(terminal.paint("bold", check));
    this.#check = check;
    terminal.print(`  ${terminal.paint(colours[level], level.padEnd(7))}  ${printable(finding)}`);
    if (remedy !== undefined) terminal.print(terminal.paint("dim", `           to do: ${printable(remedy)}`));
  }
}

function verdict(counts: Readonly<Record<Level, number>>): string {
  const plural = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`;
  const parts = [
    `${counts.ok} ok`,
    plural(counts.warning, "warning"),
    plural(counts.problem, "problem"),
    `${counts.unknown} unknown`,
  ];
  return `${parts.join(", ")}: SPIRE Server ${counts.problem > 0 ? "would fail" : "would start"}`;
}

export async function runDoctor(flags: DoctorFlags, { terminal, env, signal }: CommandContext): Promise<ExitCode> {
  const findings: Finding[] = [];
  const calls = new CallCounter();
  const text = new DoctorText(terminal);
  await examine(flags, {
    env,
    signal,
    calls,
    tell(finding) {
      findings.push(finding);
      if (!flags.json && !(flags.quiet && finding.level === "ok")) text.tell(finding);
    },
    onProgress: (status) => terminal.status(status),
  });
  terminal.endStatus();
  const counts: Record<Level, number> = { ok: 0, warning: 0, problem: 0, unknown: 0 };
  for (const { level } of findings) counts[level]++;
  const wouldFail = counts.problem > 0;
  if (flags.json) {
    terminal.print(
      jsonText({
        format: "spire-aws-kms/doctor",
        version: 1,
        would_fail: wouldFail,
        counts,
        findings,
        aws_calls: { total: calls.total, by_operation: calls.byOperation },
      }),
    );
  } else terminal.print(verdict(counts));
  if (flags.verbose) terminal.note(calls.text);
  return wouldFail ? exitCodes.failed : exitCodes.done;
}
