/** Asks a person before something is done that costs or changes. */
import { createInterface } from "node:readline/promises";

/** @returns undefined where there is no person to ask */
export async function confirm(question: string, signal: AbortSignal): Promise<boolean | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const asker = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asker.question(`${question} [y/N] `, { signal });
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    asker.close();
  }
}
