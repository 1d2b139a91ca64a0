/** One server behind a network that takes its time, in an account with strangers' keys: who suffers all the trouble. */
import { addStrangers, type Stranger } from "./operator.ts";
import { Truth } from "./oracle/truth.ts";
import { trustDomain } from "./scenes.ts";
import { SimulatedAccount } from "./simulated-account.ts";
import { type ServerOptions, SimulatedServer } from "./simulated-server.ts";

export const serverId = "server";

/** Keys that have nothing to do with this server, some of them with names that look as if they had. */
const strangers: readonly Stranger[] = [
  ["billing", "alias/billing", "ECC_NIST_P256"],
  ["SPIRE_SERVER/example.organic", "alias/SPIRE_SERVER/example_organic/server/x509-CA-A", "ECC_NIST_P384"],
  ["SPIRE_SERVER/example.organic", undefined, "ECC_NIST_P256"],
  ["SPIRE_SERVER/other.org", undefined, "ECC_NIST_P384"],
];

/** An account with strangers in it, and an oracle that keeps the truth about the server. */
export class LoneServerWorld {
  readonly account = new SimulatedAccount();
  readonly truth = new Truth(this.account, trustDomain, serverId);

  async open(): Promise<void> {
    await addStrangers(this.account, strangers);
    for (const keyArn of this.account.strangers) await this.truth.learn(keyArn);
  }

  /** A new process of the server. */
  server(random: () => number, more: Partial<ServerOptions> = {}): SimulatedServer {
    const { account } = this;
    return new SimulatedServer({ account, trustDomain, serverId, random, latencyMs: 25, ...more });
  }
}
