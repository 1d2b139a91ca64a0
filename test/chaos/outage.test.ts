/** KMS is not there for a while: what callers, the log and memory notice of it, and how soon it is over. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { startEmulator } from "../../src/kms-emulator/index.ts";
import { credentials, useStage } from "../plugin/harness/stage.ts";
import { LoneServerWorld } from "../simulation/lone-server.ts";
import { minuteMs, secondMs } from "../simulation/scenes.ts";
import type { Trouble } from "../simulation/troubles.ts";
import { seededRandom } from "../simulation/virtual-time.ts";
import { countByCode, signAtOnce, signOnce } from "./load.ts";
import { reportTable } from "./report.ts";
import { residentBytes } from "./resident-memory.ts";

const keyId = "x509-CA-A";
const rows: string[][] = [];

/** A line as its writer has dated it. */
interface Line {
  readonly level: string;
  readonly message: string;
  readonly at: number;
}

/** What was done is told of each key, as `info`; here is what went wrong. */
const complaintsOf = (log: readonly Line[]): readonly Line[] =>
  log.filter(({ level }) => level === "warn" || level === "error");

/** By kind: most of one kind within a minute of the writer's own clock. */
function mostInAMinute(complaints: readonly Line[]): readonly [kind: string, count: number] {
  const counts = complaints.map((line): [string, number] => [
    line.message,
    complaints.filter(({ message, at }) => message === line.message && at >= line.at && at < line.at + minuteMs).length,
  ]);
  return counts.reduce((most, next) => (next[1] > most[1] ? next : most), ["", 0]);
}

describe("KMS is away for ten minutes (virtual time)", () => {
  for (const trouble of ["reset", "page", "never arrives", "lost"] as const satisfies readonly Trouble[]) {
    it(`${trouble}: first signature within 2 s of its return, at most a line a minute of each kind`, async () => {
      const world = new LoneServerWorld();
      const { account } = world;
      const { time } = account;
      const random = seededRandom(3);
      const process = world.server(random, { discardCredentials: () => random() < 0.5 });
      await world.open();
      await time.until(process.configure({ max_keys_created_per_hour: { number: "0" } }));
      await time.until(process.generate(keyId));
      await time.run(15 * minuteMs);
      process.log.length = 0;

      const digest = createHash("sha256").update("message").digest();
      let underWay = 0;
      let mostUnderWay = 0;
      let signedAt: number | undefined;
      const call = async (run: (signal: AbortSignal) => Promise<unknown>): Promise<boolean> => {
        mostUnderWay = Math.max(mostUnderWay, ++underWay);
        const isDone = await run(time.signalAfter(30 * secondMs, new Error("deadline"))).then(
          () => true,
          () => false,
        );
        underWay--;
        return isDone;
      };
      const sign = async (): Promise<void> => {
        const isSigned = await call((signal) => process.sign(keyId, digest, "SHA256", signal));
        if (isSigned) signedAt ??= time.now;
      };
      const spire = async (ms: number): Promise<void> => {
        for (let at = 0; at < ms; at += 500) {
          void sign();
          // The rotator's rhythm.
          if (at % (10 * secondMs) === 0) void call((signal) => process.generate("B", "ec-p256", signal));
          await time.run(500);
        }
      };
      account.fateOf = () => trouble;
      await spire(10 * minuteMs);
      signedAt = undefined;
      const returnedAt = time.now;
      const queued = process.deletionsQueued;
      account.fateOf = () => undefined;
      await spire(40 * secondMs);
      const [kind, most] = mostInAMinute(complaintsOf(process.log));
      assert.ok(signedAt !== undefined && signedAt - returnedAt <= 2 * secondMs, `signed after ${signedAt} ms`);
      assert.ok(most <= 1, `${most} lines a minute: ${kind}`);
      assert.ok(mostUnderWay <= 2 * 30 + 4, `${mostUnderWay} calls under way`);
      assert.ok(queued <= 3 * 60, `${queued} deletions queued`);
      await time.run(20 * minuteMs);
      assert.equal(process.deletionsQueued, 0);
      const lines = complaintsOf(process.log).length;
      const firstMs = signedAt - returnedAt;
      rows.push([`${trouble}, 10 min (virtual)`, `${Math.round(firstMs)} ms`, String(lines), `${mostUnderWay} calls`]);
      process.kill();
    });
  }
});

/** `OUTAGE_CALLS=20000` for a long one. */
const callsMeanwhile = Number(process.env.OUTAGE_CALLS ?? 100);
const callers = 20;

describe("KMS is away, behind the built plugin", () => {
  const stage = useStage();

  it(`nothing listens any more for ${callsMeanwhile} calls: memory flat, and the first call after its return is served`, async () => {
    const emulator = await startEmulator({ region: "us-east-2", journalLimit: 0 });
    const env = { AWS_ENDPOINT_URL: emulator.endpoint, AWS_ACCESS_KEY_ID: credentials.accessKeyId };
    const plugin = await stage.start({ env });
    await plugin.configure();
    await plugin.generate(keyId);
    for (let index = 0; index < 200; index++) await signOnce(plugin, keyId);
    const state = emulator.control.dump();
    const { port } = new URL(emulator.endpoint);
    await emulator.close();
    const before = residentBytes(plugin.host.pid);
    for (let called = 0; called < callsMeanwhile; called += callers) {
      assert.deepEqual(countByCode(await signAtOnce(plugin, keyId, callers)), { UNAVAILABLE: callers });
    }
    const after = residentBytes(plugin.host.pid);

    const back = await startEmulator({ region: "us-east-2", journalLimit: 0, port: Number(port) });
    try {
      back.control.load(state);
      assert.deepEqual(await signOnce(plugin, keyId), ["OK", ""]);
      assert.ok(after - before < 64 * 2 ** 20, growth(before, after));
      const complaints = complaintsOf(
        plugin.logs.map(({ level, message, timestamp }) => ({ level, message, at: timestamp.getTime() })),
      );
      rows.push([
        `nothing listens, ${callsMeanwhile} calls (built plugin)`,
        "the first call",
        String(complaints.length),
        growth(before, after),
      ]);
      const [kind, most] = mostInAMinute(complaints);
      assert.ok(most <= 1, `${most} lines a minute: ${kind}`);
    } finally {
      await back.close();
    }
  });

  it("is written down", () => {
    reportTable("outages", ["KMS is away", "first signature after its return", "log lines", "memory"], rows);
    assert.equal(rows.length, 5);
  });
});

const growth = (before: number, after: number) =>
  `${(before / 2 ** 20).toFixed(0)} MB before, ${(after / 2 ** 20).toFixed(0)} MB after`;
