/** An account that SPIRE Servers have worked in for weeks, on an emulator whose time ends now. */
import type { Emulator, EmulatorClock, EmulatorOptions } from "../../src/kms-emulator/index.ts";
import { startTestEmulator } from "../fixtures/test-emulator.ts";
import { seededRandom } from "../simulation/virtual-time.ts";

export const region = "us-east-2";
export const trustDomain = "example.org";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Some time ago, until all has happened. */
class PastClock implements EmulatorClock {
  #behindMs: number;

  constructor(behindMs: number) {
    this.#behindMs = behindMs;
  }

  now(): number {
    return Date.now() - this.#behindMs;
  }

  advance(ms: number): void {
    this.#behindMs -= ms;
  }
}

export interface PastOptions {
  readonly servers: number;
  /** SPIRE key ids of each server; default 4. */
  readonly ids?: number;
  /** Share of servers that have ended weeks ago. */
  readonly ended?: number;
  readonly orphans?: number;
  readonly disabled?: number;
  /** Days between two rotations of one id. */
  readonly rotationDays?: number;
  readonly days?: number;
  /** Names that are not SPIRE's own invention. */
  readonly hostile?: readonly string[];
}

interface Deed {
  readonly agoMs: number;
  readonly run: () => Promise<void>;
}

const idNames = ["x509-CA-A", "x509-CA-B", "JWT-Signer-A", "JWT-Signer-B", "WIT-Signer-A", "WIT-Signer-B"];
const idName = (index: number): string => idNames[index] ?? `acme-${index}`;
const places = ["fra", "iad", "pdx", "sin", "gru", "syd", "dub", "nrt"];

export class AccountWithPast {
  readonly emulator: Emulator;
  readonly #random: () => number;
  readonly #deeds: Deed[] = [];

  constructor(emulator: Emulator, random: () => number) {
    this.emulator = emulator;
    this.#random = random;
  }

  /** @param more of the emulator's own */
  static async start(options: PastOptions, more: EmulatorOptions = {}): Promise<AccountWithPast> {
    const days = options.days ?? 45;
    const clock = new PastClock((days + 1) * dayMs);
    const emulator = await startTestEmulator({ region, clock, ...more });
    const account = new AccountWithPast(emulator, seededRandom(7));
    account.#plan(options, days);
    let leftMs = (days + 1) * dayMs;
    for (const { agoMs, run } of account.#deeds.sort((one, other) => other.agoMs - one.agoMs)) {
      if (agoMs < leftMs) {
        emulator.control.advance(leftMs - agoMs);
        leftMs = agoMs;
      }
      await run();
    }
    emulator.control.advance(leftMs);
    emulator.control.clearJournal();
    return account;
  }

  /** Operations that were called since it was built. */
  get calls(): readonly string[] {
    return this.emulator.control.journal().map(({ operation }) => operation);
  }

  async #call<T>(operation: string, input: object): Promise<T> {
    return (await this.emulator.control.callByName(operation, input, { region })) as T;
  }

  async #key(Description = `SPIRE_SERVER/${trustDomain}`): Promise<string> {
    const made = await this.#call<{ KeyMetadata: { KeyId: string } }>("CreateKey", {
      KeySpec: "ECC_NIST_P256",
      KeyUsage: "SIGN_VERIFY",
      Description,
    });
    return made.KeyMetadata.KeyId;
  }

  #at(agoMs: number, run: () => Promise<void>): void {
    this.#deeds.push({ agoMs, run });
  }

  #plan(options: PastOptions, days: number): void {
    const { servers, ended = 0, orphans = 0, disabled = 0 } = options;
    for (let index = 0; index < servers; index++) {
      const place = places[index % places.length] ?? "";
      const isEnded = index % Math.max(1, Math.round(1 / Math.max(ended, 1e-9))) === 1 && ended > 0;
      const name = `spire-${place}-${String(Math.floor(index / places.length) + 1).padStart(2, "0")}`;
      this.#server(name, options, days, isEnded ? (16 + this.#random() * 10) * dayMs : 0);
    }
    for (let index = 0; index < orphans; index++) {
      this.#at((3 + this.#random() * (days - 6)) * dayMs, async () => void (await this.#key()));
    }
    for (let index = 0; index < disabled; index++) {
      this.#at((4 + index) * dayMs, async () => {
        const KeyId = await this.#key();
        const AliasName = `alias/SPIRE_SERVER/example_org/spire-${places[0]}-01/x509-CA-disabled-${index}`;
        await this.#call("CreateAlias", { AliasName, TargetKeyId: KeyId });
        await this.#call("DisableKey", { KeyId });
      });
    }
    for (const [index, name] of (options.hostile ?? []).entries()) {
      this.#at((2 + index / 10) * dayMs, async () => void (await this.#key(`SPIRE_SERVER/${trustDomain}/${name}`)));
    }
  }

  /** @param endedAgoMs when it was refreshed last; 0: within the last six hours */
  #server(name: string, { ids = 4, rotationDays = 14 }: PastOptions, days: number, endedAgoMs: number): void {
    const bornAgoMs = endedAgoMs + (days - endedAgoMs / dayMs) * dayMs * (0.35 + 0.6 * this.#random());
    for (let index = 0; index < ids; index++) {
      const AliasName = `alias/SPIRE_SERVER/example_org/${name}/${idName(index)}`;
      let current: string | undefined;
      const generate = async () => {
        const TargetKeyId = await this.#key();
        await this.#call(current === undefined ? "CreateAlias" : "UpdateAlias", { AliasName, TargetKeyId });
        if (current !== undefined) await this.#call("ScheduleKeyDeletion", { KeyId: current, PendingWindowInDays: 7 });
        current = TargetKeyId;
      };
      // Half an interval lies between the two keys of a kind.
      const first = bornAgoMs - (index % 2) * (rotationDays / 2) * dayMs;
      for (let ago = first; ago > endedAgoMs + 6 * hourMs; ago -= rotationDays * dayMs * (0.9 + 0.2 * this.#random())) {
        this.#at(ago, generate);
      }
      this.#at(endedAgoMs > 0 ? endedAgoMs : this.#random() * 6 * hourMs, async () => {
        if (current === undefined) await generate();
        else await this.#call("UpdateAlias", { AliasName, TargetKeyId: current });
      });
    }
  }
}
