/**
 * A million signatures through the built plugin, and its memory over time: `node --import tsx bench/soak.ts [signatures]`.
 *
 * Writes docs/soak.svg and prints one line of JSON. KMS is a stub that answers at once; every signature is verified by the
 * plugin, as it is by default. The slope is fitted to the second half, when caches and code are warm.
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { residentBytes } from "../test/chaos/resident-memory.ts";
import { startKmsStub } from "./kms-stub.ts";
import { drive, keyId, startBenchPlugin } from "./plugin.ts";
import { type Point, slope, soakPlot } from "./soak-plot.ts";

const wanted = Number(process.argv[2] ?? 1_000_000);
/** `SOAK_SECONDS=600`: as many as that time allows. */
const limitMs = Number(process.env.SOAK_SECONDS ?? Number.POSITIVE_INFINITY) * 1_000;
const callers = 32;
const step = Math.max(1_000, Math.floor(wanted / 200));
const megabyte = 2 ** 20;

const stub = await startKmsStub();
const plugin = await startBenchPlugin(stub.endpoint);
try {
  await plugin.configure();
  await plugin.generate(keyId);
  const points: Point[] = [{ signatures: 0, megabytes: residentBytes(plugin.host.pid) / megabyte }];
  const startedAt = performance.now();
  let done = 0;
  while (done < wanted && performance.now() - startedAt < limitMs) {
    const count = Math.min(step, wanted - done);
    await drive(count, callers, async () => {
      if ((await plugin.sign(stub.digest)) === 0) throw new Error("an empty signature");
    });
    done += count;
    points.push({ signatures: done, megabytes: residentBytes(plugin.host.pid) / megabyte });
  }
  const seconds = (performance.now() - startedAt) / 1000;
  const late = points.slice(Math.floor(points.length / 2));
  const perMillion = slope(late) * 1_000_000;
  const result = {
    signatures: done,
    perSecond: Math.round(done / seconds),
    rssAfterStartMb: Math.round(points[0]?.megabytes ?? 0),
    rssAtEndMb: Math.round(points.at(-1)?.megabytes ?? 0),
    rssMostMb: Math.round(Math.max(...points.map(({ megabytes }) => megabytes))),
    slopeMbPerMillion: Number(perMillion.toFixed(1)),
    node: process.version,
  };
  console.log(JSON.stringify(result));
  writeFileSync(fileURLToPath(new URL("../docs/soak.svg", import.meta.url)), soakPlot(points, result));
} finally {
  await plugin.host.kill();
  await stub.close();
}
