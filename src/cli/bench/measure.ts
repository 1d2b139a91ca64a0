/** Signatures asked for by so many at a time, and how long each took. */
import { createHash, randomBytes } from "node:crypto";
import { type Clock, isKmsError, type KeySpec, type KmsClient, type SignInput } from "../../key-manager/ports.ts";

export interface MeasureOptions {
  readonly kms: Pick<KmsClient, "sign">;
  readonly clock: Clock;
  readonly keyArn: string;
  readonly keySpec: KeySpec;
  readonly count: number;
  readonly concurrency: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number) => void;
}

export interface Measured {
  /** Milliseconds, in the order in which they ended. */
  readonly latenciesMs: readonly number[];
  /** By code. */
  readonly failures: ReadonlyMap<string, number>;
  readonly firstFailure: unknown;
  readonly tookMs: number;
}

/** SPIRE's own choice for each key type. */
export function algorithmOf(keySpec: KeySpec): SignInput["signingAlgorithm"] | undefined {
  const algorithms: Readonly<Record<string, SignInput["signingAlgorithm"]>> = {
    ECC_NIST_P256: "ECDSA_SHA_256",
    ECC_NIST_P384: "ECDSA_SHA_384",
    RSA_2048: "RSASSA_PKCS1_V1_5_SHA_256",
    RSA_4096: "RSASSA_PKCS1_V1_5_SHA_256",
  };
  return algorithms[keySpec];
}

/** More of these in a row and the rest is not tried: it would cost time and calls and tell nothing. */
const maxFailures = 20;

/** Digests of random bytes: nothing is signed that means anything. */
function digestFor(algorithm: string): Uint8Array {
  return createHash(`sha${/_(\d+)$/.exec(algorithm)?.[1] ?? "256"}`)
    .update(randomBytes(32))
    .digest();
}

export async function measure(options: MeasureOptions): Promise<Measured> {
  const { kms, clock, keyArn, keySpec, count, concurrency, signal } = options;
  const signingAlgorithm = algorithmOf(keySpec);
  if (signingAlgorithm === undefined) throw new Error(`no algorithm for ${keySpec}`);
  const latenciesMs: number[] = [];
  const failures = new Map<string, number>();
  let firstFailure: unknown;
  let started = 0;
  let failedInARow = 0;
  const one = async () => {
    const startedMs = clock.elapsedMs();
    try {
      await kms.sign({ keyArn, signingAlgorithm, digest: digestFor(signingAlgorithm) }, { signal });
      latenciesMs.push(clock.elapsedMs() - startedMs);
      failedInARow = 0;
    } catch (error) {
      if (signal.aborted) return;
      const code = isKmsError(error) ? error.code : "UNKNOWN";
      failures.set(code, (failures.get(code) ?? 0) + 1);
      firstFailure ??= error;
      failedInARow++;
    }
    options.onProgress?.(latenciesMs.length + [...failures.values()].reduce((sum, some) => sum + some, 0));
  };
  const startMs = clock.elapsedMs();
  const worker = async () => {
    while (started < count && !signal.aborted && failedInARow < maxFailures) {
      started++;
      await one();
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, count) }, worker));
  return { latenciesMs, failures, firstFailure, tookMs: clock.elapsedMs() - startMs };
}
