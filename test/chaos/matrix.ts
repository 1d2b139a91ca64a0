/** One kind of trouble at one call: what SPIRE sees of it, and what is left when it is over. */
import { createHash } from "node:crypto";
import { LoneServerWorld } from "../simulation/lone-server.ts";
import { keysOf } from "../simulation/operator.ts";
import { minuteMs, secondMs } from "../simulation/scenes.ts";
import { codeOf, givenUp } from "../simulation/simulated-server.ts";
import type { Trouble } from "../simulation/troubles.ts";
import { seededRandom } from "../simulation/virtual-time.ts";

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
  /** Keys that nothing uses, two minutes after the trouble: pending deletion, or left to the scan. */
  readonly scheduled: number;
  readonly orphans: number;
  readonly violations: readonly string[];
}

const keyId = "x509-CA-A";

class Experiment {
  readonly #world = new LoneServerWorld();
  readonly #account = this.#world.account;
  readonly #truth = this.#world.truth;
  readonly #process = this.#world.server(seededRandom(7), { discardCredentials: () => true });
  #attempts = 0;

  async run(trouble: Trouble, place: Place, isLasting: boolean): Promise<Cell> {
    const { time } = this.#account;
    this.#account.rememberPast();
    await this.#world.open();
    await time.until(this.#process.configure());
    await time.until(this.#generate(keyId));
    await time.run(2 * minuteMs);
    const before = await this.#unused();
    this.#account.fateOf = (_, operation) => {
      if (operation !== place) return undefined;
      this.#attempts++;
      return isLasting || this.#attempts === 1 ? trouble : undefined;
    };
    const begun = time.now;
    const { code, endedAt } = await this.#ending(place);
    const tookMs = endedAt - begun;
    const attempts = this.#attempts;
    if (isLasting) await time.run(2 * minuteMs);
    this.#account.fateOf = () => undefined;
    await time.run(2 * minuteMs);
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
    const signal = time.signalAfter(30 * secondMs, givenUp("DEADLINE_EXCEEDED"));
    const call = async (): Promise<unknown> => {
      switch (places[place]) {
        case "SignData":
          return this.#sign(signal);
        case "GenerateKey":
          return this.#generate("JWT-Signer-A", signal);
        case "rotation":
          return this.#generate(keyId, signal);
        case "Configure":
          return this.#process.configure({}, signal);
        case "first key":
          // Configure asks, and succeeds without the answer.
          await this.#process.configure({}, signal);
          return this.#generate("JWT-Signer-A", signal);
      }
    };
    const ending = call().then(
      () => ({ code: "OK", endedAt: time.now }),
      (error: unknown) => {
        const code = codeOf(error);
        if (code === undefined) throw error;
        return { code, endedAt: time.now };
      },
    );
    return time.until(ending);
  }

  async #generate(id: string, signal?: AbortSignal): Promise<void> {
    const key = await this.#process.generate(id, "ec-p256", signal);
    this.#truth.hasGenerated(id, key.fingerprint);
  }

  async #sign(signal?: AbortSignal): Promise<void> {
    const message = Buffer.from("message");
    const digest = createHash("sha256").update(message).digest();
    const { signature, keyFingerprint } = await this.#process.sign(keyId, digest, "SHA256", signal);
    if (!this.#truth.verifies(keyFingerprint, message, "sha256", signature)) this.#truth.violation("a wrong signature");
    if (!this.#truth.mayAnswer(keyId, keyFingerprint, this.#account.time.now))
      this.#truth.violation("not the last key");
  }

  /** Everything works again, without a restart and with one. */
  async #checkAfterwards(): Promise<void> {
    const { time } = this.#account;
    await time.until(this.#sign());
    await time.until(this.#generate("x509-CA-B"));
    await time.until(this.#process.configure());
    await time.until(this.#sign());
  }

  async #unused(): Promise<{ readonly scheduled: number; readonly orphans: number }> {
    const used = new Set([...this.#process.entries.values()].map(({ keyArn }) => keyArn));
    const keys = (await keysOf(this.#account)).filter(({ Arn }) => !this.#account.strangers.includes(Arn));
    const unused = keys.filter(({ Arn }) => !used.has(Arn));
    const scheduled = unused.filter(({ KeyState }) => KeyState === "PendingDeletion").length;
    return { scheduled, orphans: unused.length - scheduled };
  }
}

export const experiment = (trouble: Trouble, place: Place, isLasting: boolean): Promise<Cell> =>
  new Experiment().run(trouble, place, isLasting);
