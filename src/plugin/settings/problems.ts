/** The problems of a configuration as an operator reads them: many, but not without end. */

const maxTold = 50;
const maxLength = 1_000;

const shortened = (problem: string): string =>
  problem.length > maxLength ? `${problem.slice(0, maxLength)}…` : problem;

/** Few enough for a gRPC status and for a log line; what is left out is counted. */
export function toldProblems(problems: readonly string[]): readonly string[] {
  const told = problems.slice(0, maxTold).map(shortened);
  return problems.length > maxTold ? [...told, `and ${problems.length - maxTold} more problems`] : told;
}
