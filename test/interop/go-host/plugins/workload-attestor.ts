/** A WorkloadAttestor that goes by the number of the process alone. */
import { workloadAttestor } from "../../../../src/plugin-sdk/index.ts";
import { config, refuse, serveFixture, waitForever } from "./fixture.ts";

await serveFixture(
  "WorkloadAttestor",
  workloadAttestor({
    async attest(pid, context) {
      if (pid === 8) return [];
      if (pid === 9) refuse("INTERNAL", "process");
      if (pid === 10) return waitForever(context);
      return [`pid:${pid}`, `domain:${config.current.trustDomain}`];
    },
  }),
);
