/**
 * The same requests to this emulator, moto and ministack: ours answers as AWS wherever it is known how AWS answers.
 *
 * `FIDELITY=write` writes docs/kms-emulator-fidelity.md from the run.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { manualClock } from "../../../src/kms-emulator/index.ts";
import { askedByBoth } from "../../emulator/access/permissions.ts";
import { callOf } from "../../emulator/call.ts";
import { table } from "../../emulator/operations/key-state-table.ts";
import { readRecordings } from "../../emulator/recordings/recording.ts";
import { constraintProbes, operationNames } from "../../emulator/service-model/probes.ts";
import { everyOperation } from "../../emulator/service-model/scenario.ts";
import { createTestEngine } from "../../fixtures/test-emulator.ts";
import { Unavailable } from "../python-environment.ts";
import { observed, type SeenAnswers } from "./answers.ts";
import { type Coverage, documentOf, type Findings } from "./document.ts";
import { verdictsOf } from "./questions.ts";
import { type Subject, startSubjects } from "./subjects.ts";
import { inOneLine, openQuestions } from "./unknown.ts";

const page = new URL("../../../docs/kms-emulator-fidelity.md", import.meta.url);
const clientsFile = new URL("../clients/clients-operations.json", import.meta.url);

async function findingsOf(started: Subject): Promise<Findings> {
  const { subject, seen } = observed(started);
  const verdicts = [];
  for await (const verdict of verdictsOf(subject)) verdicts.push(verdict);
  await subject.reset();
  const open = new Map<string, string>();
  for (const { title, ask } of openQuestions) open.set(title, inOneLine(await ask(subject.ask)));
  return { name: subject.name, verdicts, seen, open };
}

/** How often each operation succeeds in the scenario of every operation; its answers are held against the model. */
async function answersOfScenario(): Promise<ReadonlyMap<string, number>> {
  const { control } = createTestEngine({ clock: manualClock() });
  await everyOperation(callOf(control), control);
  const counts = new Map<string, number>();
  for (const { operation, outcome } of control.journal()) {
    if (outcome === "ok") counts.set(operation, (counts.get(operation) ?? 0) + 1);
  }
  return counts;
}

async function coverageOf(seen: SeenAnswers): Promise<Coverage> {
  const clients = JSON.parse(readFileSync(clientsFile, "utf8")) as Record<string, readonly string[]>;
  const [permissions, answers] = [await askedByBoth(), await answersOfScenario()];
  return {
    operations: operationNames,
    constraints: (operation) => constraintProbes(operation).length,
    states: (operation) => (operation in table ? 7 : 0),
    permissions: (operation) => permissions.get(operation) ?? 0,
    answers: (operation) => (seen.get(operation)?.answers ?? 0) + (answers.get(operation) ?? 0),
    clients: (operation) => clients[operation] ?? [],
  };
}

describe("the emulator beside moto and ministack", () => {
  it("answers as AWS wherever that is known", { timeout: 1_800_000 }, async (t) => {
    const subjects = await startSubjects().catch((error: unknown) => {
      if (error instanceof Unavailable) return error.message;
      throw error;
    });
    if (typeof subjects === "string") {
      t.skip(subjects);
      return;
    }
    t.after(async () => {
      for (const subject of subjects) await subject.close();
    });
    const all = await Promise.all(subjects.map(findingsOf));
    const ours = all[0];
    assert.ok(ours);
    const wrong = ours.verdicts
      .filter(({ isAsAws }) => !isAsAws)
      .map(({ title, reference }) => `${title} (${reference})`);
    assert.deepEqual(wrong, []);
    assert.deepEqual(
      [...ours.seen.values()].flatMap(({ problem }) => problem ?? []),
      [],
    );
    for (const { name, verdicts } of all) {
      t.diagnostic(`${name}: ${verdicts.filter(({ isAsAws }) => isAsAws).length} of ${verdicts.length} answers as AWS`);
    }
    if (process.env.FIDELITY !== "write") return;
    assert.ok(readRecordings(), "the recordings are on this machine: without them the page would say less");
    writeFileSync(page, documentOf(all, await coverageOf(ours.seen)));
  });
});
