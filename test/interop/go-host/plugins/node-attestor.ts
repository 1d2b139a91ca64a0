/** The server's half of a NodeAttestor: three challenges, and questions to SPIRE Server. */
import {
  type AttestContext,
  type AttestedAgent,
  agentId,
  StatusError,
  serverNodeAttestor,
} from "../../../../src/plugin-sdk/index.ts";
import { bytes, config, host, refuse, serveFixture, text, waitForever } from "./fixture.ts";

async function attest(payload: Uint8Array, context: AttestContext): Promise<AttestedAgent> {
  const who = text(payload);
  const spiffeId = agentId(config.current.trustDomain, "fixture", who);
  switch (who) {
    case "refuse":
      return refuse("PERMISSION_DENIED", "agent");
    case "wait":
      await context.challenge(bytes("before"));
      return waitForever(context);
    case "identity": {
      const { certChain, privateKey, bundle } = await host().identityProvider.fetchX509Identity();
      const selectorValues = [...certChain, privateKey].map(text);
      return { spiffeId, selectorValues: [...selectorValues, bundle.trustDomain, String(bundle.sequenceNumber)] };
    }
    default:
  }
  if (await host().agentStore.hasAttested(spiffeId))
    throw new StatusError("PERMISSION_DENIED", `${who} has attested before`);
  const selectorValues: string[] = [];
  for (const challenge of ["1", "2", "3"]) selectorValues.push(text(await context.challenge(bytes(challenge))));
  return { spiffeId, selectorValues, canReattest: true };
}

await serveFixture("NodeAttestor", serverNodeAttestor({ attest }));
