/**
 * The ratios that performance is judged by: `npm run build && node --import tsx bench/run.ts`.
 *
 * Everything is measured in pairs, one of each in turn, on the built plugin and a stub of KMS without latency; medians are
 * printed, with the environment, as a table and as one line of JSON. Ratios can be compared between machines, milliseconds
 * cannot. Driver and stub share the machine with the plugin.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { cpus, loadavg } from "node:os";
import { startPlugin } from "../src/plugin-sdk/index.ts";
import { residentBytes } from "../test/chaos/resident-memory.ts";
import { startKmsStub } from "./kms-stub.ts";
import { drive, keyId, pluginCommand, pluginEnvironment, startBenchPlugin } from "./plugin.ts";

const rounds = Number(process.argv[2] ?? 7);
const megabyte = 2 ** 20;

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function timed(run: () => Promise<unknown> | unknown): Promise<number> {
  const startedAt = performance.now();
  await run();
  return performance.now() - startedAt;
}

/** CPU time of a process so far, in microseconds; clock ticks are 10 ms on Linux. */
function cpuMicroseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

interface Row {
  readonly what: string;
  readonly measured: number;
  readonly budget: number;
  readonly isAtLeast?: boolean;
  readonly detail: string;
}
const rows: Row[] = [];
const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

async function startUp(): Promise<void> {
  const node: number[] = [];
  const handshake: number[] = [];
  const resident: number[] = [];
  for (let index = 0; index < rounds; index++) {
    node.push(await timed(() => spawnSync(process.execPath, ["-e", "0"])));
    const startedAt = performance.now();
    const host = await startPlugin({
      command: pluginCommand,
      cookie: { key: "KeyManager", value: "KeyManager" },
      env: pluginEnvironment("http://127.0.0.1:9"),
    });
    handshake.push(performance.now() - startedAt);
    await host.ping();
    resident.push(residentBytes(host.pid) / megabyte);
    await host.kill();
  }
  rows.push({
    what: "exec → handshake ÷ node -e 0",
    measured: round(median(handshake) / median(node)),
    budget: 1.9,
    detail: `${round(median(handshake), 0)} ms ÷ ${round(median(node), 0)} ms`,
  });
  rows.push({ what: "RSS after start, MB", measured: round(median(resident), 0), budget: 75, detail: "" });
}

const aliases = ["x509-CA-A", "x509-CA-B", "JWT-Signer-A", "JWT-Signer-B"].map(
  (id) => `alias/SPIRE_SERVER/example_org/server/${id}`,
);

async function configure(): Promise<void> {
  const times: number[] = [];
  for (let index = 0; index < rounds; index++) {
    const stub = await startKmsStub(aliases);
    const plugin = await startBenchPlugin(stub.endpoint);
    times.push(await timed(() => plugin.configure()));
    await plugin.host.kill();
    await stub.close();
  }
  rows.push({
    what: "Configure with 4 keys, ms",
    measured: round(median(times), 0),
    budget: 60,
    detail: "first after the handshake",
  });
}

/** The bare KMS call: one request over a connection that is kept. */
function bareCaller(endpoint: string, digest: Uint8Array): () => Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const body = JSON.stringify({ KeyId: "k", Message: Buffer.from(digest).toString("base64"), MessageType: "DIGEST" });
  const headers = { "X-Amz-Target": "TrentService.Sign", "Content-Type": "application/x-amz-json-1.1" };
  return () =>
    new Promise((resolve, reject) => {
      const call = request(endpoint, { method: "POST", agent, headers }, (response) => {
        response.resume();
        response.once("end", resolve);
      });
      call.once("error", reject);
      call.end(body);
    });
}

async function signing(): Promise<void> {
  const stub = await startKmsStub(aliases);
  const plugin = await startBenchPlugin(stub.endpoint);
  await plugin.configure();
  const sign = () => plugin.sign(stub.digest);
  const echo = () => plugin.keyManager.getPublicKey({ keyId });
  const bare = bareCaller(stub.endpoint, stub.digest);
  await drive(3_000, 32, sign);
  await drive(3_000, 32, echo);
  const cpu: number[] = [];
  const ratio: number[] = [];
  const added: number[] = [];
  const rates: number[] = [];
  for (let index = 0; index < rounds; index++) {
    const echoRate = await drive(3_000, 64, echo);
    const before = cpuMicroseconds(plugin.host.pid);
    const signRate = await drive(3_000, 64, sign);
    cpu.push((cpuMicroseconds(plugin.host.pid) - before) / 3_000);
    ratio.push(signRate / echoRate);
    rates.push(signRate);
    const alone: number[] = [];
    const bareTimes: number[] = [];
    for (let call = 0; call < 200; call++) {
      bareTimes.push(await timed(bare));
      alone.push(await timed(sign));
    }
    added.push(median(alone) - median(bareTimes));
  }
  rows.push({
    what: "SignData, CPU of the plugin, µs a call",
    measured: round(median(cpu), 0),
    budget: 250,
    detail: "",
  });
  rows.push({
    what: "SignData at 64 callers ÷ a gRPC call without KMS (GetPublicKey) at 64",
    measured: round(median(ratio)),
    budget: 0.5,
    isAtLeast: true,
    detail: `${round(median(rates), 0)} signatures/s`,
  });
  rows.push({
    what: "latency added to the bare KMS call, p50, ms",
    measured: round(median(added)),
    budget: 0.6,
    detail: "one caller",
  });
  rows.push({
    what: `RSS after ${(3_000 * (rounds + 1)).toLocaleString("en-US")} signatures, MB`,
    measured: round(residentBytes(plugin.host.pid) / megabyte, 0),
    budget: 110,
    detail: "",
  });
  await plugin.host.kill();
  await stub.close();
}

await startUp();
await configure();
await signing();
const environment = {
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cpus: cpus().length,
  cpu: cpus()[0]?.model ?? "",
  load: round(loadavg()[0] ?? 0),
  rounds,
};
for (const { what, measured, budget, isAtLeast, detail } of rows) {
  const isMet = isAtLeast === true ? measured >= budget : measured <= budget;
  const sign = isAtLeast === true ? "≥" : "≤";
  console.log(
    `${isMet ? "met   " : "MISSED"}  ${what}: ${measured} (${sign} ${budget})${detail === "" ? "" : `  ${detail}`}`,
  );
}
console.log(
  JSON.stringify({ environment, results: rows.map(({ what, measured, budget }) => ({ what, measured, budget })) }),
);
