/** The file with the roots, and when it changes. */
import { readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { type Logger, StatusError } from "spire-plugin-sdk";
import { certificatesIn } from "./pem.ts";

/** @throws StatusError for a file that cannot be read or has no certificate */
export async function readRoots(file: string): Promise<Buffer[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new StatusError("INVALID_ARGUMENT", `roots_file: ${(cause as Error).message}`, { cause });
  }
  const roots = certificatesIn(text);
  if (roots.length === 0) throw new StatusError("INVALID_ARGUMENT", `roots_file: ${file} has no certificate`);
  return roots;
}

/** Yields the roots whenever they have changed. A look that fails is logged, and the next one tried: SPIRE comes again
 * only with its next CA. */
export async function* rootsWhenChanged(
  first: readonly Buffer[],
  file: string,
  intervalMs: number,
  signal: AbortSignal,
  log: Logger,
): AsyncGenerator<Buffer[]> {
  let known = Buffer.concat(first);
  while (!signal.aborted) {
    await setTimeout(intervalMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const roots = await readRoots(file);
      const now = Buffer.concat(roots);
      if (now.equals(known)) continue;
      known = now;
      yield roots;
    } catch (error) {
      log.warn("the roots cannot be read; the former ones stay", { error });
    }
  }
}
