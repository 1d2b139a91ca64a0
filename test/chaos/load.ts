/** Callers of a busy SPIRE server, and what became of each call. No time is taken: a slow machine only needs more of it. */
import { createHash } from "node:crypto";
import { GrpcStatusError, HashAlgorithm, type StatusCode } from "../../src/plugin-sdk/index.ts";
import { signRequest } from "../plugin/harness/signing.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";

/** How one call ended. */
export type Ending = readonly [code: StatusCode, details: string];

/** So long that only a plugin that hangs reaches it. */
const patienceMs = 120_000;

const digest = createHash("sha256").update("load").digest();

export async function signOnce(plugin: TestPlugin, keyId: string): Promise<Ending> {
  try {
    await plugin.keyManager.signData(signRequest(keyId, digest, HashAlgorithm.SHA256), { timeoutMs: patienceMs });
    return ["OK", ""];
  } catch (error) {
    if (error instanceof GrpcStatusError) return [error.code, error.details];
    throw error;
  }
}

/** So many callers at the same moment. */
export const signAtOnce = (plugin: TestPlugin, keyId: string, count: number): Promise<readonly Ending[]> =>
  Promise.all(Array.from({ length: count }, () => signOnce(plugin, keyId)));

/** How many of each code. */
export function countByCode(endings: readonly Ending[]): Readonly<Partial<Record<StatusCode, number>>> {
  const counts: Partial<Record<StatusCode, number>> = {};
  for (const [code] of endings) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
