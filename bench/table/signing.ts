/** The rows on signatures: CPU, rate, latency, and KMS at its worst. */
import { type Bench, inTurn, p256Key, pause, warmUp } from "./bench.ts";
import type { SignResult } from "./instruments.ts";
import type { RowName } from "./rows.ts";

interface SignCost {
  readonly row: RowName;
  readonly keyId: string;
  readonly hash?: "SHA384";
  readonly rateRow?: RowName;
  readonly isUnverified?: true;
}

/** Of the rows whose rounds take long whatever the plugin does. */
const slowRounds = 3;

/** A figure is worth nothing if the calls failed. */
function succeeded(result: SignResult): SignResult {
  if (Object.keys(result.failed).length > 0) throw new Error(`SignData failed: ${JSON.stringify(result.failed)}`);
  return result;
}

export async function signCost(bench: Bench, { row, keyId, hash, rateRow, isUnverified }: SignCost): Promise<void> {
  const { driver, sizes, record } = bench;
  const run = hash === undefined ? { keyId } : { keyId, hash };
  await inTurn(bench, {
    settings: `scan_start_delay = "24h"\n${isUnverified ? "verify_signatures = false\n" : ""}`,
    rounds: sizes.rounds,
    prepare: ({ name }) => warmUp(bench, name, run),
    async measure({ name }) {
      const result = succeeded(await driver.sign(name, { ...run, calls: sizes.signs, callers: 64 }));
      record(row, name, (result.cpuMs * 1_000) / sizes.signs);
      if (rateRow !== undefined) record(rateRow, name, sizes.signs / result.seconds);
    },
  });
}

export async function oneCaller(bench: Bench): Promise<void> {
  const { driver, sizes, record } = bench;
  await inTurn(bench, {
    rounds: sizes.rounds * 2,
    prepare: ({ name }) => warmUp(bench, name, { keyId: p256Key }),
    async measure({ name }) {
      const result = succeeded(await driver.sign(name, { keyId: p256Key, calls: 300, callers: 1 }));
      record("p50-one-caller", name, result.p50);
    },
  });
}

/** Eight callers: with more, the calls that wait for this machine would look like late ones. */
export async function lateAnswers(bench: Bench): Promise<void> {
  const { driver, kms, sizes, record } = bench;
  const calls = sizes.lateSigns;
  await inTurn(bench, {
    rounds: slowRounds,
    prepare: ({ name }) => warmUp(bench, name, { keyId: p256Key }),
    async measure({ name }) {
      await kms.behave({ lateShare: 0.01, lateMs: 1_000 });
      const result = succeeded(await driver.sign(name, { keyId: p256Key, calls, callers: 8, unchecked: true }));
      record("late-p999", name, result.p999);
      record("late-calls", name, (((await kms.counts()).Sign ?? 0) / calls - 1) * 100);
    },
  });
}

const callsPerSecond = 100;
const generated = 8;

/** Calls come at a rate, so that those that wait behind a lock are counted from when they were due. */
export async function duringGenerate(bench: Bench): Promise<void> {
  const { driver, kms, sizes, record } = bench;
  const seconds = (generated * sizes.createDelayMs) / 1_000 + 1;
  const run = { keyId: p256Key, calls: callsPerSecond * seconds, perSecond: callsPerSecond };
  await inTurn(bench, {
    rounds: slowRounds,
    prepare: ({ name }) => warmUp(bench, name, { keyId: p256Key }),
    async measure({ name }) {
      await kms.behave({ createDelayMs: sizes.createDelayMs });
      const without = succeeded(await driver.sign(name, run));
      const during = succeeded(await driver.sign(name, { ...run, generate: generated }));
      record("sign-during-generate", name, during.p99 / without.p99);
    },
  });
}

export async function overload(bench: Bench): Promise<void> {
  const { driver, kms, sizes, record } = bench;
  const calls = 300 * sizes.overloadSeconds;
  await inTurn(bench, {
    rounds: slowRounds,
    prepare: ({ name }) => warmUp(bench, name, { keyId: p256Key }),
    async measure({ name }) {
      await kms.behave({ signQuota: 100 });
      const result = await driver.sign(name, { keyId: p256Key, calls, perSecond: 300, unchecked: true });
      record("overload-cpu", name, result.cpuMs / calls);
      record("overload-p50", name, result.p50);
      await kms.behave({});
      await pause(1_000);
    },
  });
}
