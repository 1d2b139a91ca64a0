/** The AWS clients of an operator who runs a command in the simulated world. */
import type { Clock, KmsClient } from "../../src/key-manager/ports.ts";
import { noTelemetry } from "../../src/key-manager/telemetry.ts";
import { passageThrough } from "../simulation/passage.ts";
import { simulatedClients } from "../simulation/simulated-sdk.ts";
import type { World } from "./three-regions.ts";
import { home } from "./three-regions.ts";

export interface OperatorClients {
  readonly kmsIn: (region: string) => KmsClient;
  readonly clock: Clock;
}

export function operatorClients({ account }: World): OperatorClients {
  const clock = account.time.clockFor(undefined, () => 0.5);
  const clients = simulatedClients({
    clock,
    callerClock: clock,
    telemetry: noTelemetry,
    serverTime: () => account.dateOfAnswers,
    passageOf: (operation, input, region = home) =>
      passageThrough(account.fateOf("operator", operation, region), {
        account,
        random: () => 0.5,
        operation,
        input,
        caller: "operator",
        accessKeyId: undefined,
        region,
        latencyMs: 0,
      }),
  });
  return { kmsIn: (region) => clients.inRegion(region).kms, clock };
}
