/** What callers see of a KMS that throttles: how much is signed and refused, in virtual time; and by the built plugin. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { KmsClient } from "../../src/key-manager/ports.ts";
import { noTelemetry } from "../../src/key-manager/telemetry.ts";
import { useStage } from "../plugin/harness/stage.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";
import { operatorKey } from "../simulation/operator.ts";
import { passageThrough } from "../simulation/passage.ts";
import { SimulatedAccount } from "../simulation/simulated-account.ts";
import { simulatedClients } from "../simulation/simulated-sdk.ts";
import { codeOf, givenUp } from "../simulation/simulated-server.ts";
import { seededRandom } from "../simulation/virtual-time.ts";
import { countByCode, signAtOnce, signOnce } from "./load.ts";
import { reportTable } from "./report.ts";

interface Offer {
  readonly at: number;
  readonly endedAt: number;
  readonly code: string;
}

/** KMS behind a network of some 10 ms each way, in virtual time. */
class SimulatedLoad {
  readonly account = new SimulatedAccount();
  readonly time = this.account.time;
  readonly kms: KmsClient;
  attempts = 0;
  readonly offers: Offer[] = [];
  #keyArn = "";

  constructor() {
    const { account } = this;
    const random = seededRandom(1);
    const clock = this.time.clockFor(this, random);
    ({ kms: this.kms } = simulatedClients({
      clock,
      callerClock: clock,
      telemetry: noTelemetry,
      serverTime: () => new Date(this.time.now),
      passageOf: (operation, input) => {
        if (operation === "Sign") this.attempts++;
        const traveller = { account, random, operation, input, caller: this, accessKeyId: undefined, latencyMs: 20 };
        return passageThrough(undefined, traveller);
      },
    }));
  }

  async open(): Promise<void> {
    this.#keyArn = await operatorKey(this.account, "");
  }

  async offer(perSecond: number, forMs: number, deadlineMs: number): Promise<void> {
    const count = (forMs / 1000) * perSecond;
    for (let index = 0; index < count; index++) {
      void this.#call(deadlineMs);
      await this.time.run(1000 / perSecond);
    }
  }

  async #call(deadlineMs: number): Promise<void> {
    const at = this.time.now;
    const signal = this.time.signalAfter(deadlineMs, givenUp("DEADLINE_EXCEEDED"));
    const input = { keyArn: this.#keyArn, digest: new Uint8Array(32), signingAlgorithm: "ECDSA_SHA_256" } as const;
    const code = await this.kms.sign(input, { signal }).then(
      () => "OK",
      (error: unknown) => codeOf(error) ?? "?",
    );
    this.offers.push({ at, endedAt: this.time.now, code });
  }
}

const rows: string[][] = [];

describe("KMS throttles to 100 Sign a second, 300 a second are offered for 30 s (virtual time)", () => {
  const quota = 100;
  const seconds = 30;

  for (const deadlineMs of [30_000, 2_000]) {
    it(`callers wait ${deadlineMs / 1000} s: the quota is used, the rest is refused in time, and it is over when it is over`, async () => {
      const load = new SimulatedLoad();
      await load.open();
      const throttle = load.account.control.addFault({ kind: "throttle", operation: "Sign", perSecond: quota });
      await load.offer(300, 1_000, deadlineMs);
      const begun = load.time.now;
      const attemptsBefore = load.attempts;
      await load.offer(300, seconds * 1000, deadlineMs);
      const throttledUntil = load.time.now;
      const attempts = load.attempts - attemptsBefore;
      throttle.remove();
      await load.offer(300, 3_000, deadlineMs);
      await load.time.run(40_000);

      const accepted = load.offers.filter(
        ({ code, endedAt }) => code === "OK" && endedAt > begun && endedAt <= throttledUntil,
      );
      const goodput = accepted.length / seconds;
      const refused = load.offers.filter(({ code }) => code !== "OK");
      const late = refused.filter(({ at, endedAt }) => endedAt - at >= deadlineMs);
      const recovered = load.offers.filter(({ at }) => at >= throttledUntil + 1_000);
      const lost = recovered.filter(({ code }) => code !== "OK").length;
      rows.push([
        "100/s, 300/s offered for 30 s (virtual)",
        `${deadlineMs / 1000} s`,
        `${goodput.toFixed(1)}/s`,
        `${(attempts / seconds).toFixed(0)}/s`,
        `${refused.length - late.length} refused, ${late.length} ran into their deadline`,
        `${lost} of ${recovered.length} refused from the second after`,
      ]);
      assert.ok(goodput >= 0.95 * quota, `${goodput} signatures a second`);
      assert.ok(attempts / seconds < 1.5 * quota, `${attempts / seconds} attempts a second hammer at KMS`);
      assert.ok(late.length <= refused.length / 50, `${late.length} of ${refused.length} were not refused in time`);
      assert.equal(lost, 0, "a second after the throttle is lifted everything goes through");
    });
  }
});

/** The attempts that KMS lets through, of those that reach it: counted, so that no machine is too slow for them. */
class CountedQuota {
  attempts = 0;
  letThrough = 0;
  readonly #isLetThrough: (attempt: number) => boolean;

  constructor(isLetThrough: (attempt: number) => boolean) {
    this.#isLetThrough = isLetThrough;
  }

  refuses(): boolean {
    this.attempts++;
    if (!this.#isLetThrough(this.attempts)) return true;
    this.letThrough++;
    return false;
  }
}

describe("a KMS that throttles, behind the built plugin", () => {
  const stage = useStage();
  const keyId = "x509-CA-A";
  let plugin: TestPlugin;

  before(async () => {
    plugin = await stage.start();
    await plugin.configure();
    await plugin.generate(keyId);
  });

  it("whatever KMS lets through reaches a caller, the rest is refused, nothing else starves, and it is over when it is over", async () => {
    const callers = 24;
    // A third at once, then none until every caller has been there once, then four of those that come again.
    const quota = new CountedQuota((attempt) => attempt <= 8 || (attempt > callers && attempt <= callers + 4));
    const match = () => quota.refuses();
    const throttle = stage.kms.fault({ kind: "error", name: "ThrottlingException", operation: "Sign", match });
    const load = signAtOnce(plugin, keyId, callers);
    // While no signature goes through any more.
    await Promise.all([plugin.generate("x509-CA-B"), plugin.fingerprints()]);
    await plugin.configure();
    const endings = await load;
    const counts = countByCode(endings);
    assert.deepEqual(counts, { OK: 12, RESOURCE_EXHAUSTED: 12 });
    assert.equal(quota.letThrough, 12, "no signature was made in vain");
    assert.ok(quota.attempts <= 3 * callers, `${quota.attempts} attempts of ${callers} callers`);
    for (const [code, details] of endings) if (code !== "OK") assert.match(details, /Sign: ThrottlingException/);
    assert.equal((await signOnce(plugin, keyId))[0], "RESOURCE_EXHAUSTED", "it was throttled to the end");
    throttle.remove();
    assert.deepEqual(countByCode(await signAtOnce(plugin, keyId, 5)), { OK: 5 });
  });

  it("is written down", () => {
    const head = ["KMS lets through", "callers wait", "signed", "tried", "the others", "after the throttle"];
    reportTable("throttling", head, rows);
    assert.equal(rows.length, 2);
  });
});
