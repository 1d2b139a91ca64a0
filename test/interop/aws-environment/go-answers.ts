/** The Go program of this folder, built for one run. */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);
const goTimeoutMs = 280_000;

export interface GoAnswer {
  readonly found: string;
  /** Why there is none; empty if there is. */
  readonly refused: string;
}

/** Why Go cannot be asked here: a reason to skip, not to fail. */
export class GoUnavailable extends Error {
  override readonly name = "GoUnavailable";
}

async function answersOf(program: string, questions: readonly object[]): Promise<GoAnswer[]> {
  const child = spawn(program, { stdio: ["pipe", "pipe", "inherit"] });
  child.stdin.on("error", () => undefined);
  child.stdin.end(questions.map((question) => `${JSON.stringify(question)}\n`).join(""));
  const answers: GoAnswer[] = [];
  for await (const line of createInterface({ input: child.stdout })) answers.push(JSON.parse(line));
  if (answers.length !== questions.length) throw new Error(`Go died at ${JSON.stringify(questions[answers.length])}`);
  return answers;
}

export async function askGo(questions: readonly object[]): Promise<GoAnswer[]> {
  const folder = await mkdtemp(join(tmpdir(), "aws-environment-"));
  const program = join(folder, "aws-environment");
  const options = {
    cwd: import.meta.dirname,
    env: { ...process.env, GOWORK: "off", GOFLAGS: "-mod=readonly" },
    timeout: goTimeoutMs,
  };
  try {
    try {
      await run("go", ["version"], options);
      await run("go", ["mod", "download"], options);
    } catch (cause) {
      throw new GoUnavailable("go is not installed, or cannot fetch its modules", { cause });
    }
    await run("go", ["build", "-o", program, "."], options);
    return await answersOf(program, questions);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
