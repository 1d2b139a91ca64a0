/** Holds every answer of a subject against the service model, whatever it was asked for. */

import { kmsModel } from "../../../src/kms-emulator/model/kms-model.gen.ts";
import { answerProblems } from "../../emulator/service-model/conformance.ts";
import type { Subject } from "./subjects.ts";

export interface Seen {
  answers: number;
  asModelled: number;
  /** The first thing that was wrong, for the reader. */
  problem?: string;
}

export type SeenAnswers = ReadonlyMap<string, Seen>;

/** The same subject; what it answers is counted by operation. */
export function observed(subject: Subject): { readonly subject: Subject; readonly seen: SeenAnswers } {
  const seen = new Map<string, Seen>();
  const ask: Subject["ask"] = async (operation, input, region) => {
    const answer = await subject.ask(operation, input, region);
    if ("Error" in answer) return answer;
    const counts = seen.get(operation) ?? { answers: 0, asModelled: 0 };
    const isEmpty = kmsModel.operations[operation]?.output === undefined && Object.keys(answer).length === 0;
    const [problem] = answerProblems(operation, isEmpty ? undefined : answer);
    counts.answers += 1;
    if (problem === undefined) counts.asModelled += 1;
    else counts.problem ??= problem;
    seen.set(operation, counts);
    return answer;
  };
  const observedSubject: Subject = {
    name: subject.name,
    get endpoint() {
      return subject.endpoint;
    },
    ask,
    reset: () => subject.reset(),
    close: () => subject.close(),
  };
  return { subject: observedSubject, seen };
}
