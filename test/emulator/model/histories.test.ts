/** Random walks through the operations agree with a simple model. */
import { describe, it } from "node:test";
import { manualClock } from "../../../src/kms-emulator/index.ts";
import { createTestEngine } from "../../fixtures/test-emulator.ts";
import { aliasesPerKey, Model, onDemandRotationsPerKey, tagsPerKey, transitionMs } from "./model.ts";
import { generator } from "./steps.ts";
import { Walk } from "./walk.ts";

/** Steps of the random walk; 100,000 in the long run. */
const steps = Number(process.env.EMULATOR_MODEL_STEPS ?? 4_000);
const seed = Number(process.env.EMULATOR_MODEL_SEED ?? 1);

describe("a random walk", () => {
  it(`of ${steps} steps (seed ${seed}) finds no disagreement with the model`, async () => {
    const start = Date.UTC(2026, 0, 1);
    const { control } = createTestEngine({
      clock: manualClock(start),
      awsManagedAliases: false,
      journalLimit: 0,
      transitionMs,
      limits: { aliasesPerKey, tagsPerKey, onDemandRotationsPerKey },
    });
    const walk = new Walk(generator(seed), new Model(start), control);
    for (let step = 0; step < steps; step += 1) {
      await walk.step().catch((error: Error) => {
        error.message += `\nseed ${seed}, step ${step}; the last calls:\n  ${walk.trace.slice(-12).join("\n  ")}`;
        throw error;
      });
    }
  });
});
