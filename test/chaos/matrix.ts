/** One kind of trouble at one call: what SPIRE sees of it, and what is left when it is over. */

import { createHash } from "node:crypto";
import { KeyManagerError } from "../../src/key-manager/errors.ts";
import { abortController } from "../../src/key-manager/pace/concurrency.ts";
import { Account } from "../simulation/account.ts";
import { SpireProcess } from "../simulation/spire-process.ts";
import { Truth } from "../simulation/truth.ts";
import { seededRandom } from "../simulation/virtual-time.ts";
import { type Trouble, Weather } from "../simulation/weather.ts";

/** Calls of SPIRE, and the call of AWS in each that meets the trouble. */
export const places = {
  Sign: "SignData",
  CreateKey: "GenerateKey",
  GetPublicKey: "GenerateKey",
  CreateAlias: "GenerateKey",
  UpdateAlias: "rotation",
  ScheduleKeyDeletion: "rotation",
  GetCallerIdentity: "first key",
  ListAliases: "Configure",
  DescribeKey: "Configure",
} as const satisfies Readonly<Record<string, "SignData" | "GenerateKey" | "rotation" | "Configure" | "first key">>;

export type Place = keyof typeof places;

export interface Cell {
  /** What SPIRE's call ended with. */
  readonly code: string;
  /** In virtual milliseconds. */
  readonly tookMs: number;
  /** How often the call of AWS was made. */
  readonly attempts: number;
  /** Keys that nobody uses, two minutes after the trouble: on their way out, or left to the scan. */
  readonly scheduled: number;
  readonly orphans: number;
  readonly violations: readonly string[];
}

const secondMs = 1_000;
const keyId = "x509-CA-A";

class Experiment {
  readonly #account = new Account();
  readonly #truth = new Truth(this.#account);
  readonly #weather: Weather;
  readonly #process: SpireProcess;
  #attempts = 0;

  constructor() {
    const account = this.#account;
    const random = seededRandom(7);
    this.#weather = new Weather({ account, random, isLagging: true, onTrouble: () => undefined });
    this.#process = new SpireProcess({ account, weather: this.#weather, random, discardCredentials: () => true });
  }

  async run(trouble: Trouble, place: Place, isLasting: boolean): Promise<Cell> {
    const { time } = this.#account;
    await this.#account.addStrangers();
    await this.#truth.learn(this.#account.strangers);
    this.#weather.script = () => undefined;
    await time.until(this.#process.configure({}));
    await time.until(this.#generate(keyId));
    await time.run(120 * secondMs);
    const before = await this.#unused();
    this.#weather.script = (operation) => {
      if (operation !== place) return undefined;
      this.#attempts++;
      return isLasting || this.#attempts === 1 ? trouble : undefined;
    };
    const begun = time.now;
    const { code, endedAt } = await this.#ending(place);
    const tookMs = endedAt - begun;
    const attempts = this.#attempts;
    if (isLasting) await time.run(120 * secondMs);
    this.#weather.script = () => undefined;
    await time.run(120 * secondMs);
    await this.#checkAfterwards();
    const after = await this.#unused();
    return {
      code,
      tookMs,
      attempts,
      scheduled: after.scheduled - before.scheduled,
      orphans: after.orphans - before.orphans,
      violations: this.#truth.violations,
    };
  }

  async #ending(place: Place): Promise<{ readonly code: string; readonly endedAt: number }> {
    const { time } = this.#account;
    const stop = abortController();
    time.after(30 * secondMs, () =>
      stop.abort(new KeyManagerError("DEADLINE_EXCEEDED", "the call's deadline has passed")),
    );
    const call = async (): Promise<unknown> => {
      switch (places[place]) {
        case "SignData":
          return this.#sign(stop.signal);
        case "GenerateKey":
          return this.#generate("JWT-Signer-A", stop.signal);
        case "rotation":
          return this.#generate(keyId, stop.signal);
        case "Configure":
          return this.#process.configure({}, stop.signal);
        case "first key":
          // Configure asks, and succeeds without the answer.
          await this.#process.configure({}, stop.signal);
          return this.#generate("JWT-Signer-A", stop.signal);
      }
    };
    const ending = call().then(
      () => ({ code: "OK", endedAt: time.now }),
      (error: unknown) => {
        if (!(error instanceof KeyManagerError)) throw error;
        return { code: error.code, endedAt: time.now };
      },
    );
    return time.until(ending);
  }

  async #generate(id: string, signal?: AbortSignal): Promise<void> {
    const key = await this.#process.keyManager.generateKey(id, "ec-p256", signal);
    this.#truth.hasGenerated(id, key.fingerprint);
  }

  async #sign(signal?: AbortSignal): Promise<void> {
    const message = Buffer.from("message");
    const digest = createHash("sha256").update(message).digest();
    const call = this.#process.keyManager.current.signData(keyId, digest, { hashAlgorithm: "SHA256" }, signal);
    const { signature, keyFingerprint } = await call;
    if (!this.#truth.verifies(keyFingerprint, message, "sha256", signature)) this.#truth.violation("a wrong signature");
    if (!this.#truth.mayAnswer(keyId, keyFingerprint, this.#account.time.now))
      this.#truth.violation("not the last key");
  }

  /** Everything works again, without a restart and with one. */
  async #checkAfterwards(): Promise<void> {
    const { time } = this.#account;
    await time.until(this.#sign());
    await time.until(this.#generate("x509-CA-B"));
    await time.until(this.#process.configure({}));
    await time.until(this.#sign());
  }

  async #unused(): Promise<{ readonly scheduled: number; readonly orphans: number }> {
    const used = new Set([...this.#process.keyManager.current.entries.values()].map(({ keyArn }) => keyArn));
    const keys = (await this.#account.keys()).filter(({ Arn }) => !this.#account.strangers.includes(Arn));
    const unused = keys.filter(({ Arn }) => !used.has(Arn));
    const scheduled = unused.filter(({ KeyState }) => KeyState === "PendingDeletion").length;
    return { scheduled, orphans: unused.length - scheduled };
  }
}

export const experiment = (trouble: Trouble, place: Place, isLasting: boolean): Promise<Cell> =>
  new Experiment().run(trouble, place, isLasting);
