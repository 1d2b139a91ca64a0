/** SPIRE's telemetry shows the numbers of the moment: its sink forgets a gauge after a minute. */
import { EventEmitter, on } from "node:events";
import { describe, it } from "node:test";
import { MetricsService, service } from "../../../src/plugin-sdk/index.ts";
import { useStage } from "../harness/stage.ts";

describe("gauges", () => {
  const stage = useStage();

  it("reach SPIRE after Configure and after each generation", async () => {
    const told = new EventEmitter();
    const metrics = service(MetricsService, {
      setGauge({ key, val }) {
        if (key.join(".") === "aws_kms.live_keys") told.emit("live_keys", val);
        return {};
      },
      emitKey: () => ({}),
      incrCounter: () => ({}),
      addSample: () => ({}),
      measureSince: () => ({}),
    });
    /** Resolves when SPIRE is told this number, whatever it is told before. */
    const until = async (wanted: number): Promise<void> => {
      for await (const [value] of on(told, "live_keys")) if (value === wanted) return;
    };
    const plugin = await stage.start({ hostServices: [metrics] });
    const configured = until(0);
    await plugin.configure();
    await configured;
    for (const [index, keyId] of ["x509-CA-A", "JWT-Signer-A"].entries()) {
      const shown = until(index + 1);
      await plugin.generate(keyId);
      await shown;
    }
    // Again, with nothing new to tell.
    await until(2);
    await plugin.stop();
  });
});
