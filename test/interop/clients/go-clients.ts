/** The clients in Go, built from one module at the first use. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Unavailable } from "../python-environment.ts";

const run = promisify(execFile);
const source = fileURLToPath(new URL("go", import.meta.url));

let built: Promise<string> | undefined;

async function build(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "go-clients-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, "clients");
  try {
    // One package at a time: the others of this run need the machine, too.
    await run("go", ["build", "-p", "1", "-o", program, "."], { cwd: source, timeout: 900_000 });
    return program;
  } catch (error) {
    const reason = (error as Error).message.split("\n").slice(0, 3).join(" ");
    throw new Unavailable(`the clients in Go could not be built: ${reason}`);
  }
}

/** Path of the program. Throws Unavailable without Go, or without a way to its modules. */
export function goClients(): Promise<string> {
  built ??= build();
  return built;
}
