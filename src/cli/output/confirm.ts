/** Asks before something is changed. */
import { createInterface } from "node:readline/promises";
import { KeyManagerError } from "../../key-manager/errors.ts";

export interface ConfirmOptions {
  readonly yes?: boolean | undefined;
  readonly signal: AbortSignal;
}

/** The answer of the person at the terminal; undefined where there is none to ask. */
export async function askAtTerminal(question: string, signal: AbortSignal): Promise<string | undefined> {
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) return undefined;
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return (await reader.question(question, { signal })).trim().toLowerCase();
  } finally {
    reader.close();
  }
}

/**
 * Asks the operator, unless `--yes` has answered already.
 *
 * @param question what will be done, as a question
 * @throws KeyManagerError `FAILED_PRECONDITION` where the answer is no, and where no person can answer
 */
export async function confirm(question: string, { yes, signal }: ConfirmOptions): Promise<void> {
  if (yes) return;
  const answer = await askAtTerminal(`${question} Type yes to go on: `, signal);
  if (answer === undefined) {
    throw new KeyManagerError(
      "FAILED_PRECONDITION",
      "nothing was changed: there is no terminal to ask at; --yes agrees beforehand",
    );
  }
  if (answer !== "yes") throw new KeyManagerError("FAILED_PRECONDITION", "nothing was changed: it was not agreed to");
}
