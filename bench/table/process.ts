/** The rows on the process itself: start, Configure, scans, rest, memory. */
import { residentBytes } from "../../test/chaos/resident-memory.ts";
import {
  type Bench,
  type Contestant,
  environmentFor,
  inTurn,
  p256Key,
  pause,
  resetKms,
  settingsFor,
  warmUp,
} from "./bench.ts";
import type { RowName } from "./rows.ts";

const megabytesOf = (pid: number): number => residentBytes(pid) / 2 ** 20;

async function startOnce(bench: Bench, contestant: Contestant, nodeMs: number): Promise<void> {
  const { driver, record } = bench;
  const { name } = contestant;
  const { pid, ms } = await driver.start(name, contestant.path, environmentFor(bench));
  try {
    record("start", name, ms / nodeMs);
    record("configure-cpu", name, (await driver.configure(name, settingsFor(contestant))).cpuMs);
    const resident = megabytesOf(pid);
    const first = await driver.sign(name, { keyId: p256Key, calls: 1, callers: 1, unchecked: true });
    record("first-sign", name, first.p50);
    record("rss-configure", name, resident);
  } finally {
    await driver.kill(name);
  }
}

export async function starts(bench: Bench): Promise<void> {
  await resetKms(bench);
  // In the plugin's own environment: NODE_EXTRA_CA_CERTS alone makes any start of Node twice as long.
  const nothing = () => bench.driver.exec(process.execPath, ["-e", "0"], environmentFor(bench));
  // Once for nothing: the files are in memory then.
  await nothing();
  for (let round = 0; round < bench.sizes.starts; round++) {
    for (const contestant of bench.contestants) {
      await startOnce(bench, contestant, await nothing());
    }
  }
}

const scanLimitMs = 60_000;

/** From the end of Configure until the last key was described. */
async function scanOnce(bench: Bench, contestant: Contestant): Promise<void> {
  const { driver, kms, sizes, record } = bench;
  const { name } = contestant;
  const described = async () => (await kms.counts()).DescribeKey ?? 0;
  await resetKms(bench);
  await kms.behave({ foreignKeys: sizes.foreignKeys });
  await driver.start(name, contestant.path, environmentFor(bench, "GO_PEER_SCAN=1"));
  try {
    await driver.configure(name, settingsFor(contestant, 'scan_start_delay = "0s"\n'));
    const before = { count: await described(), cpuMs: await driver.cpuMs(name) };
    const deadline = performance.now() + scanLimitMs;
    let count = before.count;
    while (count < sizes.foreignKeys) {
      if (performance.now() > deadline) throw new Error(`${name} described ${count} keys in ${scanLimitMs} ms`);
      await pause(50);
      count = await described();
    }
    record("describe-cpu", name, ((await driver.cpuMs(name)) - before.cpuMs) / (count - before.count));
  } finally {
    await driver.kill(name);
  }
}

export async function scans(bench: Bench): Promise<void> {
  for (let round = 0; round < bench.sizes.rounds; round++) {
    for (const contestant of bench.contestants) await scanOnce(bench, contestant);
  }
}

/** All of them rest at the same time, after a second's work. */
/** Node.js collects once, some ten seconds after the last call: that belongs to the calls. */
const settleMs = 30_000;

export async function rest(bench: Bench): Promise<void> {
  const { driver, contestants, sizes, record } = bench;
  const begun = new Map<string, number>();
  await inTurn(bench, {
    rounds: 1,
    prepare: ({ name }) => warmUp(bench, name, { keyId: p256Key }),
    async measure({ name }) {
      if (begun.size === 0) {
        await pause(settleMs);
        for (const each of contestants) begun.set(each.name, await driver.cpuMs(each.name));
        await pause(sizes.idleSeconds * 1_000);
      }
      const spent = (await driver.cpuMs(name)) - (begun.get(name) ?? 0);
      record("idle-cpu", name, (spent * 60) / sizes.idleSeconds);
    },
  });
}

/** @param of the most that was seen, or what is seen at the end */
export async function memory(bench: Bench, row: RowName, signs: number, of: "most" | "last"): Promise<void> {
  const { driver, record } = bench;
  const steps = 40;
  const seen = new Map<string, number[]>();
  await inTurn(bench, {
    rounds: steps,
    prepare: async () => undefined,
    async measure({ name }, pid) {
      await driver.sign(name, { keyId: p256Key, calls: signs / steps, callers: 64 });
      seen.set(name, [...(seen.get(name) ?? []), megabytesOf(pid)]);
    },
  });
  for (const { name } of bench.contestants) {
    const values = seen.get(name) ?? [];
    record(row, name, of === "most" ? Math.max(...values) : (values.at(-1) ?? Number.NaN));
  }
}
