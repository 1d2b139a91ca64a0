/** Writes docs/kms-emulator-fidelity.md from what a run has found. */
import type { SeenAnswers } from "./answers.ts";
import type { Kind, Verdict } from "./questions.ts";
import { versions } from "./subjects.ts";

/** What one emulator has answered. */
export interface Findings {
  readonly name: string;
  readonly verdicts: readonly Verdict[];
  readonly seen: SeenAnswers;
  /** By title of the open question. */
  readonly open: ReadonlyMap<string, string>;
}

/** What tests of this repository ask of each operation, beside the run. */
export interface Coverage {
  readonly operations: readonly string[];
  readonly constraints: (operation: string) => number;
  /** Key states in which it is asked. */
  readonly states: (operation: string) => number;
  /** Calls made by a caller without and by one with the permission. */
  readonly permissions: (operation: string) => number;
  readonly answers: (operation: string) => number;
  readonly clients: (operation: string) => readonly string[];
}

type Row = readonly (string | number)[];

function tableOf(head: Row, rows: readonly Row[]): string {
  const line = (cells: Row) => `| ${cells.map((cell) => String(cell).replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

const countOf = (verdicts: readonly Verdict[]): string =>
  verdicts.length === 0 ? "–" : `${verdicts.filter(({ isAsAws }) => isAsAws).length}/${verdicts.length}`;

const names = (all: readonly Findings[]): string[] => all.map(({ name }) => name);

const kinds: readonly (readonly [Kind, string, string])[] = [
  ["refusals", "Inputs that break one constraint of a member: refused with ValidationException", "AWS's service model"],
  ["constraints", "The same: exception and text", "AWS's service model"],
  [
    "states",
    "Operations on keys that are disabled or pending deletion: done, or which exception",
    "AWS's page on key states",
  ],
  ["recordings", "Answers that were recorded from AWS: code, text, members", "the recording, by its name below"],
  ["behaviour", "What a client of AWS sees", "[aws-kms-behaviour.md](aws-kms-behaviour.md), the row named below"],
];

function summary(all: readonly Findings[]): string {
  const rows = kinds.map(([kind, what, reference]) => [
    what,
    reference,
    ...all.map(({ verdicts }) => countOf(verdicts.filter((verdict) => verdict.kind === kind))),
  ]);
  const shapes = all.map(({ seen }) => {
    const counts = [...seen.values()];
    const sum = (of: (seen: (typeof counts)[number]) => number) => counts.reduce((total, next) => total + of(next), 0);
    return `${sum(({ asModelled }) => asModelled)}/${sum(({ answers }) => answers)}`;
  });
  const last = ["Successful answers on the way: members, types, bounds", "AWS's service model", ...shapes];
  return tableOf(["Question", "Who says how AWS answers", ...names(all)], [...rows, last]);
}

function coverageTable(coverage: Coverage): string {
  const rows = coverage.operations.map((operation) => [
    operation,
    coverage.constraints(operation),
    coverage.answers(operation) || "–",
    coverage.states(operation) || "–",
    coverage.permissions(operation) || "–",
    coverage.clients(operation).join(", ") || "–",
  ]);
  return tableOf(
    ["Operation", "Constraints probed", "Answers compared", "Key states", "Permission", "Clients that used it"],
    rows,
  );
}

function operationTable(all: readonly Findings[], operations: readonly string[]): string {
  const cell = (findings: Findings, operation: string): string => {
    const of = (kind: Kind) =>
      countOf(findings.verdicts.filter((verdict) => verdict.kind === kind && verdict.operation === operation));
    const seen = findings.seen.get(operation);
    return `${of("constraints")} · ${of("states")} · ${seen ? `${seen.asModelled}/${seen.answers}` : "–"}`;
  };
  const rows = operations.map((operation) => [operation, ...all.map((findings) => cell(findings, operation))]);
  return tableOf(["Operation", ...names(all)], rows);
}

/** A question each: as AWS, or not. */
function questionTable(all: readonly Findings[], kind: Kind): string {
  const byTitle = all.map(
    ({ verdicts }) =>
      new Map(verdicts.flatMap((verdict) => (verdict.kind === kind ? [[verdict.title, verdict] as const] : []))),
  );
  const rows = [...(byTitle[0]?.values() ?? [])].map(({ title, reference }) => [
    title,
    reference,
    ...byTitle.map((verdicts) => (verdicts.get(title)?.isAsAws ? "as AWS" : "differs")),
  ]);
  return tableOf(["Question", "Reference", ...names(all)], rows);
}

function openTable(all: readonly Findings[]): string {
  const titles = [...(all[0]?.open.keys() ?? [])];
  const rows = titles.map((title) => [title, "unknown", ...all.map(({ open }) => open.get(title) ?? "–")]);
  return tableOf(["Question", "Verdict", ...names(all)], rows);
}

export function documentOf(all: readonly Findings[], coverage: Coverage): string {
  return `# How close the KMS emulator is to AWS

This page is made by a run: \`FIDELITY=write npm run test:interop -- test/interop/fidelity/fidelity.interop.test.ts\`
puts the same requests to this emulator, to moto ${versions.moto} and to ministack ${versions.ministack}, both from PyPI, and holds each answer
against what AWS has published or what was recorded from it. No emulator is the measure of another. Do not edit it.

- *AWS's service model* is the one that its SDKs are made of; [kms-emulator.md](kms-emulator.md) names its version.
- *Recordings* are answers of AWS that the LocalStack project has published (Apache License 2.0). Code, text and members are compared;
  members that AWS has added since are allowed. Where an earlier step of a case fails in an emulator, the later ones count as different.
- *AWS's pages* are quoted in [aws-kms-behaviour.md](aws-kms-behaviour.md), with their addresses.
- Where nothing says how AWS answers, the verdict is "unknown".

## Summary

Answers as AWS's, of those asked for.

${summary(all)}

## Operations in this repository's own tests

Constraints of the model that are probed; successful answers that are held against the model (in this run and in the scenario of \`npm test\`); key states in
which the operation is asked (of seven); calls made by a caller without the permission, who is refused, and by one with no other
permission, who is served; programs that used it over TLS (\`test/interop/clients/clients-operations.json\`).
Operations on custom key stores answer as AWS does to an account that has none.

${coverageTable(coverage)}

## Side by side: operations

Constraints · key states · successful answers as the model has them.

${operationTable(all, coverage.operations)}

## Side by side: recorded answers

${questionTable(all, "recordings")}

## Side by side: behaviour

${questionTable(all, "behaviour")}

## Unknown

Nothing published says which of these answers is AWS's.

${openTable(all)}
`;
}
