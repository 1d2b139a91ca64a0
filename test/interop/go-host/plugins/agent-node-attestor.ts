/** The agent's half of a NodeAttestor. */
import { agentNodeAttestor } from "../../../../src/plugin-sdk/index.ts";
import { bytes, refuse, serveFixture, text, waitForever } from "./fixture.ts";

await serveFixture(
  "NodeAttestor",
  agentNodeAttestor({
    async *aidAttestation(challenges, context) {
      yield bytes("payload");
      for await (const challenge of challenges) {
        if (text(challenge) === "refuse") refuse("PERMISSION_DENIED", "challenge");
        if (text(challenge) === "wait") await waitForever(context);
        yield bytes(`answer to ${text(challenge)}`);
      }
    },
  }),
);
