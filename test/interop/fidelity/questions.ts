/** What each emulator is asked, and AWS's answer: by its service model, its documentation, or a recording of it. */
import { isDeepStrictEqual } from "node:util";
import { compareValue, partsOf, type Recording, readRecordings } from "../../emulator/recordings/recording.ts";
import { replays } from "../../emulator/recordings/replays.ts";
import { expectedText, withSortedValues } from "../../emulator/service-model/expected-text.ts";
import { constraintProbes, operationNames } from "../../emulator/service-model/probes.ts";
import { openSubject, probes } from "../moto/probes.ts";
import { stateVerdicts } from "./states.ts";
import type { Subject } from "./subjects.ts";

export type Kind = "refusals" | "constraints" | "states" | "recordings" | "behaviour";

/** Whether one answer was AWS's. */
export interface Verdict {
  readonly kind: Kind;
  /** Absent: the question is about several. */
  readonly operation?: string;
  /** Unique within its kind. */
  readonly title: string;
  /** What says how AWS answers. */
  readonly reference: string;
  readonly isAsAws: boolean;
}

interface Refusal {
  readonly Error?: { readonly Code: string; readonly Message: string };
}

async function* constraintVerdicts({ ask }: Subject): AsyncGenerator<Verdict> {
  for (const operation of operationNames) {
    for (const probe of constraintProbes(operation)) {
      const { Error: refusal } = (await ask(operation, probe.input)) as Refusal;
      const isRefused = refusal?.Code === "ValidationException";
      const hasText = isRefused && withSortedValues(refusal.Message) === expectedText(probe);
      const question = { operation, title: `${operation} ${probe.title}`, reference: "service model" };
      yield { kind: "refusals", ...question, isAsAws: isRefused };
      yield { kind: "constraints", ...question, isAsAws: hasText };
    }
  }
}

function isAsRecorded(answer: unknown, recorded: unknown, date: string): boolean {
  try {
    compareValue(answer, recorded, date, "answer");
    return true;
  } catch {
    return false;
  }
}

/** The answers of one case, and which operation gave each. */
async function replayed(subject: Subject, base: string, parameters: readonly string[]) {
  const operations = new Map<unknown, string>();
  const asked: Subject["ask"] = async (operation, input, region) => {
    const answer = await subject.ask(operation, input, region);
    operations.set(answer, operation);
    return answer;
  };
  try {
    return { operations, answers: (await replays[base]?.(asked, parameters)) ?? {} };
  } catch {
    // The emulator did not get as far as the question.
    return { operations, answers: {} as Readonly<Record<string, unknown>> };
  }
}

async function* recordedVerdicts(subject: Subject): AsyncGenerator<Verdict> {
  for (const [name, recording] of Object.entries(readRecordings() ?? {})) {
    const { base, parameters } = partsOf(name);
    if (replays[base] === undefined) continue;
    await subject.reset();
    const { answers, operations } = await replayed(subject, base, parameters);
    yield* stepVerdicts(name, recording, answers, operations);
  }
}

function* stepVerdicts(
  name: string,
  recording: Recording,
  answers: Readonly<Record<string, unknown>>,
  operations: ReadonlyMap<unknown, string>,
): Generator<Verdict> {
  for (const [step, recorded] of Object.entries(recording["recorded-content"])) {
    const answer = answers[step];
    const isAsAws = answer !== undefined && isAsRecorded(answer, recorded, recording["recorded-date"]);
    const operation = operations.get(answer);
    const title = `${name}: ${step}`;
    const reference = `recorded on ${recording["recorded-date"].split(",")[0]}`;
    yield { kind: "recordings", title, reference, isAsAws, ...(operation === undefined ? {} : { operation }) };
  }
}

async function* behaviourVerdicts(subject: Subject): AsyncGenerator<Verdict> {
  await subject.reset();
  const clients = openSubject(subject.endpoint);
  try {
    for (const { title, row, real, run } of probes) {
      const answer = await run(clients).catch((error: Error) => `failed: ${error.name}`);
      const isAsAws = isDeepStrictEqual(answer, real);
      yield { kind: "behaviour", title, reference: `aws-kms-behaviour.md, "${row}"`, isAsAws };
    }
  } finally {
    clients.close();
  }
}

export async function* verdictsOf(subject: Subject): AsyncGenerator<Verdict> {
  yield* constraintVerdicts(subject);
  yield* stateVerdicts(subject);
  yield* recordedVerdicts(subject);
  yield* behaviourVerdicts(subject);
}
