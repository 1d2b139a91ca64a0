/** Asks before something is changed. */
import { createInterface } from "node:readline/promises";
import { KeyManagerError } from "../../key-manager/errors.ts";

export interface ConfirmOptions {
  readonly yes?: boolean | undefined;
  readonly signal: AbortSignal;
}

/**
 * Asks the operator, unless `--yes` has answered already.
 *
 * @param question what will be done, as a question
 * @throws KeyManagerError `FAILED_PRECONDITION` where the answer is no, and where no person can answer
 */
export async function confirm(question: string, { yes, signal }: ConfirmOptions): Promise<void> {
  if (yes) return;
  if (process.stdin.isTTY !== true || process.stderr.isTTY !== true) {
    throw new KeyManagerError(
      "FAILED_PRECONDITION",
      "nothing was changed: there is no terminal to ask at; --yes agrees beforehand",
    );
  }
  const reader = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await reader.question(`${question} Type yes to go on: `, { signal });
    if (answer.trim().toLowerCase() !== "yes") {
      throw new KeyManagerError("FAILED_PRECONDITION", "nothing was changed: it was not agreed to");
    }
  } finally {
    reader.close();
  }
}
