import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import type { KmsClient } from "../../src/key-manager/ports.ts";
import { isKmsError } from "../../src/key-manager/ports.ts";
import { noTelemetry } from "../../src/key-manager/telemetry.ts";
import { createEngine, type EmulatorControl, manualClock } from "../../src/kms-emulator/index.ts";
import { useStage } from "../plugin/harness/stage.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";
import { simulatedClients } from "../simulation/simulated-sdk.ts";
import { seededRandom, VirtualTime } from "../simulation/virtual-time.ts";
import { countByCode, offerLoad, signOnce } from "./load.ts";
import { reportTable } from "./report.ts";

interface Offer {
  readonly at: number;
  readonly endedAt: number;
  readonly code: string;
}

/** KMS behind a network of 10 to 30 ms, in virtual time. */
class SimulatedLoad {
  readonly control: EmulatorControl = createEngine({ clock: manualClock(), journalLimit: 0 }).control;
  readonly time = new VirtualTime(this.control);
  readonly kms: KmsClient;
  attempts = 0;
  readonly offers: Offer[] = [];
  #keyArn = "";

  constructor() {
    const random = seededRandom(1);
    const clock = this.time.clockFor(this, random);
    ({ kms: this.kms } = simulatedClients({
      clock,
      callerClock: clock,
      telemetry: noTelemetry,
      serverTime: () => new Date(this.time.now),
      isAlive: () => true,
      passageOf: (operation, input) => ({
        toMs: 5 + random() * 10,
        backMs: 5 + random() * 10,
        effect: () => {
          if (operation === "Sign") this.attempts++;
          return this.control.call(operation, input);
        },
      }),
    }));
  }

  async open(): Promise<void> {
    const input = { keySpec: "ECC_NIST_P256", description: "", policy: undefined, tags: [] };
    this.#keyArn = (await this.time.until(this.kms.createKey(input))).arn;
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
    const stop = new AbortController();
    this.time.after(deadlineMs, () => stop.abort(new Error("deadline")));
    const input = { keyArn: this.#keyArn, digest: new Uint8Array(32), signingAlgorithm: "ECDSA_SHA_256" } as const;
    const code = await this.kms.sign(input, { signal: stop.signal }).then(
      () => "OK",
      (error: unknown) => (isKmsError(error) ? error.code : "?"),
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
      const throttle = load.control.addFault({ kind: "throttle", operation: "Sign", perSecond: quota });
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

/** So little that a busy machine can do it; `THROTTLE_QUOTA=100 THROTTLE_SECONDS=30` for the whole of it. */
const quota = Number(process.env.THROTTLE_QUOTA ?? 20);
const forMs = Number(process.env.THROTTLE_SECONDS ?? 4) * 1_000;

describe("a KMS that throttles, behind the built plugin", { timeout: forMs + 170_000 }, () => {
  const stage = useStage();
  const keyId = "x509-CA-A";
  let plugin: TestPlugin;

  before(async () => {
    plugin = await stage.start();
    await plugin.configure();
    await plugin.generate(keyId);
    await signOnce(plugin, keyId, 10_000);
  });

  it("uses the quota up, refuses the rest inside its deadline, starves nothing else, and recovers", {
    timeout: forMs + 170_000,
  }, async () => {
    const fault = stage.kms.fault({ kind: "throttle", operation: "Sign", perSecond: quota });
    const timeoutMs = 10_000;
    const load = offerLoad(plugin, { keyId, perSecond: 3 * quota, forMs, timeoutMs });
    const others = Promise.all([plugin.generate("x509-CA-B"), plugin.configure(), plugin.fingerprints()]);
    const offers = await load;
    await others;
    const counts = countByCode(offers);
    const inTime = offers.filter(({ code, doneAt }) => code === "OK" && doneAt <= forMs);
    rows.push([
      `${quota}/s, ${3 * quota}/s offered for ${forMs / 1000} s (built plugin)`,
      `${timeoutMs / 1000} s`,
      `${(inTime.length / (forMs / 1000)).toFixed(1)}/s`,
      "",
      `${counts.RESOURCE_EXHAUSTED ?? 0} refused, ${counts.DEADLINE_EXCEEDED ?? 0} ran into their deadline`,
      "",
    ]);
    assert.ok(inTime.length >= 0.95 * quota * (forMs / 1000), `${inTime.length} in ${forMs} ms`);
    assert.deepEqual(Object.keys(counts).sort(), ["OK", "RESOURCE_EXHAUSTED"]);
    const words = offers.find(({ code }) => code === "RESOURCE_EXHAUSTED")?.details ?? "";
    assert.match(words, /Sign: (ThrottlingException|TooManyCallsUnderWay)/);
    fault.remove();
    const ended = await Promise.all(Array.from({ length: 5 }, () => signOnce(plugin, keyId, timeoutMs)));
    assert.deepEqual([...new Set(ended.map(([code]) => code))], ["OK"]);
  });

  it("is written down", () => {
    const head = ["KMS lets through", "callers wait", "signed", "tried", "the others", "after the throttle"];
    reportTable("throttling", head, rows);
    assert.equal(rows.length, 3);
  });
});
