/** Callers at a steady rate, as a busy SPIRE server has them. */
import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import { GrpcStatusError, HashAlgorithm, type StatusCode } from "../../src/plugin-sdk/index.ts";
import { signRequest } from "../plugin/harness/signing.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";

/** One call, as its caller saw it. Times in milliseconds since the load began. */
export interface Offer {
  readonly at: number;
  readonly doneAt: number;
  readonly code: StatusCode;
  readonly details: string;
}

export interface LoadOptions {
  readonly keyId: string;
  readonly perSecond: number;
  readonly forMs: number;
  readonly timeoutMs: number;
}

const digest = createHash("sha256").update("load").digest();

export async function signOnce(plugin: TestPlugin, keyId: string, timeoutMs: number): Promise<[StatusCode, string]> {
  try {
    await plugin.keyManager.signData(signRequest(keyId, digest, HashAlgorithm.SHA256), { timeoutMs });
    return ["OK", ""];
  } catch (error) {
    if (error instanceof GrpcStatusError) return [error.code, error.details];
    throw error;
  }
}

/** Offers signatures at a steady rate, whatever becomes of them, and waits for the last answer. */
export async function offerLoad(plugin: TestPlugin, options: LoadOptions): Promise<readonly Offer[]> {
  const { keyId, perSecond, forMs, timeoutMs } = options;
  const startedAt = performance.now();
  const elapsed = () => performance.now() - startedAt;
  const offers: Promise<Offer>[] = [];
  const offer = async (): Promise<Offer> => {
    const at = elapsed();
    const [code, details] = await signOnce(plugin, keyId, timeoutMs);
    return { at, doneAt: elapsed(), code, details };
  };
  while (elapsed() < forMs) {
    const due = Math.min((elapsed() / 1000) * perSecond, (forMs / 1000) * perSecond);
    while (offers.length < due) offers.push(offer());
    await delay(5);
  }
  return Promise.all(offers);
}

/** How many of each code. */
export function countByCode(offers: readonly Offer[]): Readonly<Partial<Record<StatusCode, number>>> {
  const counts: Partial<Record<StatusCode, number>> = {};
  for (const { code } of offers) counts[code] = (counts[code] ?? 0) + 1;
  return counts;
}
