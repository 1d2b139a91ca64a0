/**
 * How long signatures take while KMS fails in the Region of the keys, under a steady rate of them.
 *
 * `npm run bench:failover`: in virtual time, on the simulated network of the tests, so that the machine does not matter.
 * `npm run bench:failover -- --real [signatures a second, 20] [seconds for each part, 15]`: the built plugin on an emulator over
 * HTTP, with a way of its own to each Region, of which one falls silent or is cut. It wants a machine that has nothing else to do.
 */
import { createHash, createPublicKey, type KeyObject, randomBytes, verify } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RegionRoad, type RoadState } from "../test/fixtures/region-road.ts";
import { startTestEmulator } from "../test/fixtures/test-emulator.ts";
import { pluginCommand } from "../test/plugin/harness/plugin-command.ts";
import { hashAlgorithms, signRequest } from "../test/plugin/harness/signing.ts";
import { pluginEnvironment } from "../test/plugin/harness/stage.ts";
import { TestPlugin } from "../test/plugin/harness/test-plugin.ts";
import { World } from "../test/regions/three-regions.ts";
import type { SimulatedServer } from "../test/simulation/simulated-server.ts";
import type { Trouble } from "../test/simulation/troubles.ts";

const home = "us-east-1";
const west = "us-west-2";
const keyId = "x509-CA-A";
const isReal = process.argv[2] === "--real";
const perSecond = Number(process.argv[3] ?? 20);
const seconds = Number(process.argv[4] ?? 15);
/** What answers take: within a Region, and from the other side of a continent. */
const latencies = { home: 10, west: 70 };

interface Part {
  readonly took: number[];
  failed: number;
  /** Those that do not verify, or are told to be of another key. */
  wrong: number;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

interface Signer {
  readonly plugin: TestPlugin;
  readonly publicKey: KeyObject;
  readonly fingerprint: string;
}

/** A steady rate, whether or not answers come. */
async function load({ plugin, publicKey, fingerprint }: Signer, forMs: number): Promise<Part> {
  const part: Part = { took: [], failed: 0, wrong: 0 };
  const under: Promise<void>[] = [];
  const endAt = performance.now() + forMs;
  for (let next = performance.now(); next < endAt; next += 1_000 / perSecond) {
    await delay(Math.max(0, next - performance.now()));
    const message = randomBytes(16);
    const digest = createHash("sha256").update(message).digest();
    const begunAt = performance.now();
    under.push(
      plugin.keyManager.signData(signRequest(keyId, digest, hashAlgorithms.sha256)).then(
        ({ signature, keyFingerprint }) => {
          part.took.push(performance.now() - begunAt);
          if (keyFingerprint !== fingerprint || !verify("sha256", message, publicKey, signature)) part.wrong++;
        },
        () => void part.failed++,
      ),
    );
  }
  await Promise.all(under);
  return part;
}

function row(name: string, { took, failed, wrong }: Part): string {
  const sorted = took.toSorted((one, other) => one - other);
  const cells = [0.5, 0.9, 0.99, 1].map((share) => `${Math.round(percentile(sorted, share))} ms`);
  return `| ${[name, took.length + failed, failed, wrong, ...cells].join(" | ")} |`;
}

async function lose(state: Exclude<RoadState, "open">): Promise<void> {
  const emulator = await startTestEmulator({ region: home });
  const folder = mkdtempSync(join(tmpdir(), "bench-failover-"));
  const roads = {
    home: await RegionRoad.open(emulator.endpoint, latencies.home),
    west: await RegionRoad.open(emulator.endpoint, latencies.west),
  };
  const plugin = await TestPlugin.start({
    command: pluginCommand,
    cwd: folder,
    env: pluginEnvironment(emulator.endpoint, folder),
  });
  await plugin.configure({
    region: home,
    key_identifier_value: "bench",
    endpoint: roads.home.endpoint,
    replica_regions: [west],
    replica_endpoints: { [west]: roads.west.endpoint },
  });
  const { pkixData, fingerprint } = await plugin.generate(keyId);
  const publicKey = createPublicKey({ key: Buffer.from(pkixData), format: "der", type: "spki" });
  const signer: Signer = { plugin, publicKey, fingerprint };
  await plugin.logged(/^Replica is ready$/);
  await load(signer, 5_000);
  console.log(row("before", await load(signer, seconds * 1_000)));
  roads.home.become(state);
  console.log(row(`the Region is ${state}: the first 5 s`, await load(signer, 5_000)));
  console.log(row("then", await load(signer, seconds * 1_000)));
  roads.home.become("open");
  console.log(row("the Region is back: the first 10 s", await load(signer, 10_000)));
  await Promise.race([plugin.logged(/^KMS answers again in this/), delay(90_000)]);
  console.log(row("at home again", await load(signer, seconds * 1_000)));
  await plugin.host.kill();
  for (const road of Object.values(roads)) road.close();
  await emulator.close();
  rmSync(folder, { recursive: true, force: true });
}

const heading =
  "| | signatures | failed | wrong | p50 | p90 | p99 | slowest |\n| --- | --- | --- | --- | --- | --- | --- | --- |";

/** The same in virtual time. */
async function loadVirtual(world: World, server: SimulatedServer, forMs: number): Promise<Part> {
  // The server verifies what it hands out.
  const part: Part = { took: [], failed: 0, wrong: 0 };
  const under: Promise<void>[] = [];
  for (let at = 0; at < forMs; at += 1_000 / perSecond) {
    const begunAt = world.time.now;
    under.push(
      server.sign(keyId, randomBytes(32)).then(
        () => void part.took.push(world.time.now - begunAt),
        () => void part.failed++,
      ),
    );
    await world.time.run(1_000 / perSecond);
  }
  await world.time.until(Promise.all(under));
  return part;
}

async function loseVirtual(trouble: Trouble, name: string): Promise<void> {
  const world = new World();
  // Each request and each answer is under way for up to so long: at most 80 ms together, 40 ms on average.
  const server = await world.server({ replica_regions: [west] }, { latencyMs: 40 });
  await world.generate(server);
  await world.time.run(120_000);
  console.log(row(`${name}: before`, await loadVirtual(world, server, 10_000)));
  world.troubles.set(home, trouble);
  console.log(row(`${name}: the first 5 s`, await loadVirtual(world, server, 5_000)));
  console.log(row(`${name}: then`, await loadVirtual(world, server, 10_000)));
  world.troubles.clear();
  console.log(row(`${name}: the Region is back`, await loadVirtual(world, server, 60_000)));
}

if (isReal) {
  const ways = `${latencies.home} ms to ${home}, ${latencies.west} ms to ${west}`;
  console.log(`${perSecond} signatures a second (P-256, verified), ${ways}\n\n${heading}`);
  await lose("silent");
  await lose("cut");
} else {
  console.log(`${perSecond} signatures a second in virtual time\n\n${heading}`);
  await loseVirtual("never arrives", "no answer");
  await loseVirtual("page", "503 of a load balancer");
  await loseVirtual("reset", "connections cut");
  await loseVirtual("slow", "answers after 1 to 7 s");
}
