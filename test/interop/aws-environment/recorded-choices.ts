/** Go's choices as they were recorded, for machines without Go. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const file = join(import.meta.dirname, "go-choices.json");
const rowsPerLine = 100;
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

interface Recorded {
  readonly sdk: string;
  /** What a letter stands for. */
  readonly answers: readonly string[];
  /** A letter for each row. */
  readonly choices: readonly string[];
}

export async function readChoices(): Promise<string[]> {
  const { answers, choices }: Recorded = JSON.parse(await readFile(file, "utf8"));
  return [...choices.join("")].map((letter) => answers[letters.indexOf(letter)] ?? "");
}

export async function writeChoices(sdk: string, found: readonly string[]): Promise<void> {
  const answers = [...new Set(found)];
  const all = found.map((answer) => letters[answers.indexOf(answer)] ?? "?").join("");
  const choices = all.match(new RegExp(`.{1,${rowsPerLine}}`, "g")) ?? [];
  await writeFile(file, `${JSON.stringify({ sdk, answers, choices } satisfies Recorded, null, 2)}\n`);
}
