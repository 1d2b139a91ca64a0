/** Go's answers as they were recorded, for machines without Go. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

const rowsPerLine = 100;
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

export type Recording = "go-choices.json" | "go-proxies.json";

interface Recorded {
  /** Of Go's libraries. */
  readonly versions: readonly string[];
  /** What a letter stands for. */
  readonly answers: readonly string[];
  /** A letter for each row. */
  readonly rows: readonly string[];
}

const path = (recording: Recording) => join(import.meta.dirname, recording);

export async function readRecording(recording: Recording): Promise<string[]> {
  const { answers, rows }: Recorded = JSON.parse(await readFile(path(recording), "utf8"));
  return [...rows.join("")].map((letter) => answers[letters.indexOf(letter)] ?? "?");
}

export async function writeRecording(recording: Recording, found: readonly string[]): Promise<void> {
  const goMod = await readFile(join(import.meta.dirname, "go.mod"), "utf8");
  const versions = goMod.match(/\S+\/(config|net) v\S+/g) ?? [];
  const answers = [...new Set(found)];
  const all = found.map((answer) => letters[answers.indexOf(answer)] ?? "?").join("");
  const rows = all.match(new RegExp(`.{1,${rowsPerLine}}`, "g")) ?? [];
  const recorded: Recorded = { versions, answers, rows };
  await writeFile(path(recording), `${JSON.stringify(recorded, null, 2)}\n`);
}
