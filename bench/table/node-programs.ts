/**
 * Driver and KMS of the benchmark where there is no Go: this process itself. It takes more of the machine than Go's, knows
 * one key and one signature, and has nothing to compare with.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { startKmsStub } from "../kms-stub.ts";
import { type BenchPlugin, drive, startBenchPlugin } from "../plugin.ts";
import type { Driver, Kms, SignResult, SignRun, Spent } from "./instruments.ts";

/** Clock ticks are 10 ms on Linux. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function measured<Result>(pid: number, call: () => Promise<Result>): Promise<Result & Spent> {
  const cpuBefore = cpuMsOf(pid);
  const startedAt = performance.now();
  const result = await call();
  return { ...result, ms: performance.now() - startedAt, cpuMs: cpuMsOf(pid) - cpuBefore };
}

async function signAll(plugin: BenchPlugin, digest: Uint8Array, { calls, callers = 1 }: SignRun) {
  const times: number[] = [];
  const startedAt = performance.now();
  await drive(calls, callers, async () => {
    const askedAt = performance.now();
    if ((await plugin.sign(digest)) === 0) throw new Error("an empty signature");
    times.push(performance.now() - askedAt);
  });
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const seconds = (performance.now() - startedAt) / 1_000;
  return { succeeded: calls, failed: {}, seconds, p50: at(0.5), p99: at(0.99), p999: at(0.999) };
}

export async function startNodePrograms(aliases: readonly string[]): Promise<{ driver: Driver; kms: Kms }> {
  const stub = await startKmsStub(aliases);
  const plugins = new Map<string, BenchPlugin>();
  const named = (name: string): BenchPlugin => {
    const plugin = plugins.get(name);
    if (plugin === undefined) throw new Error(`no plugin "${name}" was started`);
    return plugin;
  };
  const driver: Driver = {
    name: "this Node process, over the library's own host",
    async exec(path, args, env) {
      const startedAt = performance.now();
      spawnSync(path, args, { env: Object.fromEntries(env.map((line) => line.split(/=(.*)/s))) });
      return performance.now() - startedAt;
    },
    async start(name, path) {
      const plugin = await startBenchPlugin(stub.endpoint, path);
      plugins.set(name, plugin);
      return { pid: plugin.host.pid, ms: plugin.startedInMs };
    },
    configure: (name, hcl) =>
      measured(named(name).host.pid, async () => {
        await named(name).configure(hcl);
        return {};
      }),
    sign: (name, run): Promise<SignResult> =>
      measured(named(name).host.pid, () => signAll(named(name), stub.digest, run)),
    cpuMs: async (name) => cpuMsOf(named(name).host.pid),
    async kill(name) {
      await named(name).host.kill();
      plugins.delete(name);
    },
    async close() {
      for (const plugin of plugins.values()) await plugin.host.kill();
    },
  };
  const kms: Kms = {
    endpoint: stub.endpoint,
    behave: async () => undefined,
    counts: async () => ({}),
    close: () => stub.close(),
  };
  return { driver, kms };
}
