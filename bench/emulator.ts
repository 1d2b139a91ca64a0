/**
 * Processor time a call costs here and in local-kms, an emulator in Go: `npm run bench:emulator -- [--rounds N]
 * [--rows NAME,…] [--against PROGRAM] [--keys N] [--json FILE] [--markdown]`.
 *
 * Rounds take turns between the two processes, so that a busy machine is busy for both; a row's figure is the median of
 * its rounds, and the ratio that of the medians. The client is a third process and is not counted.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { call, load, requestBytes } from "./emulator/client.ts";
import { type Row, rows } from "./emulator/operations.ts";
import { buildPeer, peerVersion, type ServerProcess, startOurs, startPeer } from "./emulator/servers.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "9" },
    rows: { type: "string" },
    against: { type: "string" },
    keys: { type: "string", default: "0" },
    json: { type: "string" },
    markdown: { type: "boolean", default: false },
  },
});

interface Measurement {
  readonly name: string;
  /** Microseconds of processor time a call, by server. Undefined: the server does not offer it. */
  readonly ours: number | undefined;
  readonly peer: number | undefined;
}

/** What ours may cost, as a multiple of the peer. */
const budget = 1.3;

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((left, right) => left - right);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function requestsFor(row: Row, server: ServerProcess): Promise<readonly Buffer[] | undefined> {
  try {
    const calls = await row.prepare(server);
    return calls.map(([operation, input]) => requestBytes(server, operation, input));
  } catch (error) {
    console.error(`${row.name}: ${server.name}: ${(error as Error).message.slice(0, 200)}`);
    return undefined;
  }
}

/** Pairs of calls go over one connection: the second undoes the first. */
const connectionsFor = (requests: readonly Buffer[]): number => (requests.length > 1 ? 1 : 4);

async function round(server: ServerProcess, requests: readonly Buffer[], count: number): Promise<number> {
  const before = server.cpuNs();
  await load(server, requests, count, connectionsFor(requests));
  return (server.cpuNs() - before) / 1000 / count;
}

async function measure(row: Row, ours: ServerProcess, peer: ServerProcess, rounds: number): Promise<Measurement> {
  const servers = [ours, peer];
  const requests = [await requestsFor(row, ours), await requestsFor(row, peer)];
  const spent: number[][] = [[], []];
  // The first round warms up and is thrown away.
  for (let turn = 0; turn <= rounds; turn += 1) {
    for (const [index, server] of servers.entries()) {
      const own = requests[index];
      if (own === undefined) continue;
      const cost = await round(server, own, row.count);
      if (turn > 0) spent[index]?.push(cost);
    }
  }
  const [oursSpent = [], peerSpent = []] = spent;
  return {
    name: row.name,
    ours: oursSpent.length > 0 ? median(oursSpent) : undefined,
    peer: peerSpent.length > 0 ? median(peerSpent) : undefined,
  };
}

const text = (value: number | undefined): string => (value === undefined ? "—" : value.toFixed(value < 100 ? 1 : 0));

function ratioText({ ours, peer }: Measurement): string {
  if (ours === undefined || peer === undefined) return "—";
  return (ours / peer).toFixed(2);
}

/** Mebibytes with so many keys of P-256, and then with an alias on each. */
async function residentWith(server: ServerProcess, keys: number): Promise<readonly [number, number]> {
  const create = requestBytes(server, "CreateKey", { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
  await load(server, [create], keys);
  const bare = server.residentMib();
  let Marker: unknown;
  for (let made = 0; made < keys; ) {
    const page = await call(server, "ListKeys", { Limit: 1000, Marker });
    const aliases = (page.Keys as { KeyId: string }[]).map(({ KeyId }) =>
      requestBytes(server, "CreateAlias", { AliasName: `alias/of-${KeyId}`, TargetKeyId: KeyId }),
    );
    await load(server, aliases, aliases.length);
    made += aliases.length;
    Marker = page.NextMarker;
  }
  return [bare, server.residentMib()];
}

async function main(): Promise<void> {
  const folder = join(tmpdir(), `local-kms-${peerVersion}`);
  mkdirSync(folder, { recursive: true });
  const ours = await startOurs();
  const peer =
    values.against === undefined ? await startPeer(await buildPeer(folder)) : await startOurs(values.against);
  try {
    const wanted = values.rows?.split(",");
    const chosen = rows.filter(({ name }) => wanted === undefined || wanted.some((part) => name.startsWith(part)));
    const results: Measurement[] = [];
    for (const row of chosen) {
      const result = await measure(row, ours, peer, Number(values.rounds));
      results.push(result);
      const isOver = (result.ours ?? 0) > (result.peer ?? Number.POSITIVE_INFINITY) * budget;
      const [own, other] = [text(result.ours), text(result.peer)];
      if (values.markdown) console.log(`| ${result.name} | ${own} | ${other} | ${ratioText(result)} |`);
      else
        console.log(`${result.name.padEnd(28)} ${own} µs, ${other} µs, × ${ratioText(result)}${isOver ? " OVER" : ""}`);
    }
    if (values.json !== undefined) {
      const machine = { cpu: cpus()[0]?.model, node: process.version, peer: peerVersion };
      writeFileSync(values.json, `${JSON.stringify({ machine, results }, null, 2)}\n`);
    }
  } finally {
    await Promise.all([ours.close(), peer.close()]);
  }
  const keys = Number(values.keys);
  if (keys === 0) return;
  const fresh = await startOurs();
  try {
    const [bare, named] = await residentWith(fresh, keys);
    console.log(`${keys} keys: ${Math.round(bare)} MiB resident; with an alias each: ${Math.round(named)} MiB`);
  } finally {
    await fresh.close();
  }
}

await main();
