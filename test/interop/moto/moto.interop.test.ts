import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { startTestEmulator } from "../../fixtures/test-emulator.ts";
import { Unavailable } from "../python-environment.ts";
import { startMoto } from "./moto-server.ts";
import { openSubject, type Probe, probes, type Subject } from "./probes.ts";

const answerOf = (probe: Probe, subject: Subject): Promise<unknown> =>
  probe.run(subject).catch((error: Error) => `failed: ${error.name}`);

const short = (value: unknown): string => JSON.stringify(value) ?? "absent";

/**
 * The same client script against this emulator and against moto. What AWS does stands in docs/aws-kms-behaviour.md, "Other
 * emulators": ours must do that everywhere, and where moto does something else, the difference is listed with the row that
 * says who is right.
 */
describe("the emulator beside moto", () => {
  it("does what AWS does, and what moto does wherever moto is right", { timeout: 600_000 }, async (t) => {
    const moto = await startMoto().catch((error: unknown) => {
      if (!(error instanceof Unavailable)) throw error;
      return error;
    });
    if (moto instanceof Unavailable) {
      t.skip(moto.message);
      return;
    }
    const emulator = await startTestEmulator();
    const [ours, theirs] = [openSubject(emulator.endpoint), openSubject(moto.endpoint)];
    t.after(async () => {
      ours.close();
      theirs.close();
      await emulator.close();
      await moto.close();
    });
    const differences: string[] = [];
    for (const probe of probes) {
      const [our, their] = [await answerOf(probe, ours), await answerOf(probe, theirs)];
      assert.deepEqual(our, probe.real, `${probe.title}: AWS says ${short(probe.real)} (row "${probe.row}")`);
      if (isDeepStrictEqual(our, their)) continue;
      differences.push(
        `${probe.title}: emulator ${short(our)}, moto ${short(their)}; right: emulator ("${probe.row}")`,
      );
    }
    t.diagnostic(
      `${probes.length} questions, ${probes.length - differences.length} equal answers, ${differences.length} differences:`,
    );
    for (const difference of differences) t.diagnostic(difference);
    // If this fails moto has caught up, or no longer answers at all: look at the list.
    assert.ok(differences.length > 0 && differences.length < probes.length - 5);
  });
});
