import { type ChildProcessByStdio, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { promisify } from "node:util";

const run = promisify(execFile);
const goTimeoutMs = 120_000;
const batchSize = 500;
const batchTimeoutMs = 30_000;

/** Go's values in the notation of main.go's `typed`. */
export type TypedValue =
  | { readonly b: boolean }
  | { readonly i: string }
  | { readonly f: string }
  | { readonly s: string }
  | { readonly l: readonly TypedValue[]; readonly e: "any" | "map" }
  | { readonly m: readonly (readonly [string, TypedValue])[] };

export interface Outcome<T> {
  readonly value: T;
  readonly refused?: string;
}

/** One line of main.go's output. */
export interface Answer {
  readonly decoded: Outcome<TypedValue>;
  readonly positions: Outcome<readonly (readonly [number, number])[]>;
  readonly reprinted: Outcome<string>;
}

/** Why the reference cannot be had here; a reason to skip, not to fail. */
export class ReferenceUnavailable extends Error {
  override readonly name = "ReferenceUnavailable";
}

/** hashicorp/hcl v1 in a Go process of its own, built into a temporary folder that `stop` removes. */
export class GoReference {
  readonly #folder: string;
  readonly #process: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(folder: string) {
    this.#folder = folder;
    this.#process = spawn(join(folder, "hcl-reference"), { stdio: ["pipe", "pipe", "inherit"] });
    // A process that died is noticed when its answer is missing.
    this.#process.stdin.on("error", () => undefined);
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]();
  }

  static async start(): Promise<GoReference> {
    const folder = await mkdtemp(join(tmpdir(), "hcl-reference-"));
    const options = {
      cwd: import.meta.dirname,
      env: { ...process.env, GOWORK: "off", GOFLAGS: "-mod=readonly" },
      timeout: goTimeoutMs,
    };
    try {
      await run("go", ["version"], options);
      await run("go", ["mod", "download"], options);
    } catch (cause) {
      await rm(folder, { recursive: true, force: true });
      throw new ReferenceUnavailable("go is not installed, or cannot fetch its modules", { cause });
    }
    try {
      await run("go", ["build", "-o", join(folder, "hcl-reference"), "."], options);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
    return new GoReference(folder);
  }

  async ask(texts: readonly string[]): Promise<Answer[]> {
    const answers: Answer[] = [];
    for (let start = 0; start < texts.length; start += batchSize) {
      const batch = texts.slice(start, start + batchSize);
      this.#process.stdin.write(batch.map((text) => `${JSON.stringify(text)}\n`).join(""));
      const timer = setTimeout(() => this.#process.kill("SIGKILL"), batchTimeoutMs);
      try {
        for (const text of batch) answers.push(await this.#read(text));
      } finally {
        clearTimeout(timer);
      }
    }
    return answers;
  }

  async askOne(text: string): Promise<Answer> {
    const [answer] = await this.ask([text]);
    if (!answer) throw new Error("the Go reference gave no answer");
    return answer;
  }

  async stop(): Promise<void> {
    this.#process.kill("SIGKILL");
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #read(text: string): Promise<Answer> {
    const line = await this.#lines.next();
    if (line.done) throw new Error(`the Go reference died on ${JSON.stringify(text)}`);
    const answer: Answer = JSON.parse(line.value);
    return answer;
  }
}
