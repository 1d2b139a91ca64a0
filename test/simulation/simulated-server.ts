/**
 * A SPIRE server's plugin process in virtual time: configured, used, and killed between any two calls or within one.
 *
 * All that the simulated world knows of the key manager is here; tests ask the process, and not what is inside it.
 */

import { KeyManagerError } from "../../src/key-manager/errors.ts";
import { KeyManager, type KeyManagerOptions } from "../../src/key-manager/key-manager.ts";
import type { KeyType } from "../../src/key-manager/key-type.ts";
import { type Clock, isKmsError, type KmsClient, type LogFields, type Logger } from "../../src/key-manager/ports.ts";
import type { Preparation } from "../../src/key-manager/setup.ts";

import { noTelemetry, type Telemetry } from "../../src/key-manager/telemetry.ts";

import { awsKmsPreparation } from "../../src/plugin/aws-kms/preparation.ts";
import { type AwsKmsConfig, parseConfig } from "../../src/plugin/aws-kms/settings.ts";
import type { Setting } from "../../src/plugin/settings/plugin-data.ts";
import { type Passage, passageThrough } from "./passage.ts";
import type { SimulatedAccount } from "./simulated-account.ts";
import { simulatedClients } from "./simulated-sdk.ts";
import { seededRandom } from "./virtual-time.ts";

export interface LogLine {
  readonly level: "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
  readonly at: number;
}

export type Settings = Readonly<Record<string, Setting>>;

/** Where faulty variants of parts go in, to see that the tests notice them. */
export interface Seams {
  readonly preparation?: (preparation: Preparation) => Preparation;
  readonly kms?: (kms: KmsClient, clock: Clock) => KmsClient;
  readonly tasks?: KeyManagerOptions<AwsKmsConfig>["tasks"];
}

export interface ServerOptions {
  readonly account: SimulatedAccount;
  readonly trustDomain: string;
  readonly serverId: string;
  readonly settings?: Settings;
  /** Default: from {@link seed}. */
  readonly random?: () => number;
  readonly seed?: number;
  /** How far its clock is ahead of virtual time, which KMS's begins with. */
  readonly skewMs?: number;
  /** How long a request, and then its answer, is under way at the most. Default: everything is done at once. */
  readonly latencyMs?: number;
  readonly seams?: Seams;
  /** Access key of another identity, for permissions. */
  readonly accessKeyId?: string;
  /** Whether there may be other credentials once AWS has refused these. Default: never. */
  readonly discardCredentials?: () => boolean;
  readonly telemetry?: Telemetry;
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

/** As in `src/plugin/system-clock.ts`. */
const jumpMs = 5 * 60_000;

/** How long SPIRE waits for a call. */
const patienceMs = 30_000;

/** What SPIRE, or who called SPIRE, ends a call with. */
export const givenUp = (code: "DEADLINE_EXCEEDED" | "CANCELLED"): Error =>
  new KeyManagerError(code, code === "CANCELLED" ? "the caller has given up" : "deadline exceeded");

/** How a call of SPIRE failed; undefined: with something that no server may throw. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof KeyManagerError || isKmsError(error) ? error.code : undefined;

export class SimulatedServer {
  readonly options: ServerOptions;
  readonly keyManager: KeyManager<AwsKmsConfig>;
  readonly clock: Clock;
  readonly log: LogLine[] = [];
  /** Kills the process at the n-th call from now, before or after it takes effect. */
  crashIn: { calls: number; readonly when: "before" | "after" } | undefined;
  onKilled: () => void = () => undefined;
  /** Whom it calls as; may be changed while it runs. */
  accessKeyId: string | undefined;
  /** Holds each call until it is let go. */
  gate: ((operation: string) => Promise<void>) | undefined;
  /** How long it will be away once it is killed, for who restarts it. */
  downMs: number | undefined;
  /** Those of its last configuration. */
  settings: Settings | undefined;
  isAlive = true;
  #skewMs: number;
  readonly #jumpWatchers = new Set<() => void>();
  readonly #random: () => number;

  constructor(options: ServerOptions) {
    this.options = options;
    this.accessKeyId = options.accessKeyId;
    const { account, seed = 1, random = seededRandom(seed), skewMs = 0, seams = {} } = options;
    this.#random = random;
    this.#skewMs = skewMs;
    this.clock = {
      ...account.time.clockFor(this, random, () => this.#skewMs),
      jumped: (signal) => this.#jumped(signal),
    };
    const log = this.#logger();
    const prepare = awsKmsPreparation({ clock: this.clock, log });
    this.keyManager = new KeyManager<AwsKmsConfig>({
      clock: this.clock,
      log,
      createClients: ({ region }) => {
        const clients = this.#clients(region);
        return seams.kms === undefined ? clients : { ...clients, kms: seams.kms(clients.kms, this.clock) };
      },
      prepare: async (...given) => {
        const preparation = await prepare(...given);
        return seams.preparation?.(preparation) ?? preparation;
      },
      ...(options.telemetry === undefined ? {} : { telemetry: options.telemetry }),
      processName: `process ${seed}`,
      ...(seams.tasks === undefined ? {} : { tasks: seams.tasks }),
    });
  }

  get identity(): string {
    return `${this.options.trustDomain} ${this.options.serverId}`;
  }

  get isConfigured(): boolean {
    return this.isAlive && this.settings !== undefined;
  }

  get entries() {
    return this.keyManager.entries;
  }

  /** GetPublicKeys. */
  get publicKeys() {
    return this.keyManager.getPublicKeys();
  }

  get deletionsQueued(): number {
    return this.keyManager.gauges.deletionsQueued;
  }

  async configure(settings: Settings = {}, signal?: AbortSignal): Promise<void> {
    const { trustDomain, serverId } = this.options;
    const all = { region: "us-east-1", key_identifier_value: serverId, ...this.options.settings, ...settings };
    const { config, problems } = parseConfig(trustDomain, { settings: all, problems: [] });
    if (config === undefined) throw new Error(problems.join("; "));
    await this.keyManager.configure(config, signal);
    this.settings = all;
  }

  /** @param limit how long the caller waits, or its signal; SPIRE waits for 30 s */
  generate(keyId: string, keyType: KeyType = "ec-p256", limit: number | AbortSignal = patienceMs) {
    const { time } = this.options.account;
    const signal = typeof limit === "number" ? time.signalAfter(limit, givenUp("DEADLINE_EXCEEDED")) : limit;
    return this.keyManager.generateKey(keyId, keyType, signal);
  }

  /** Signs a digest. */
  async sign(
    keyId: string,
    digest: Uint8Array = new Uint8Array(32),
    hashAlgorithm: "SHA256" | "SHA384" = "SHA256",
    signal?: AbortSignal,
  ) {
    return this.keyManager.signData(keyId, digest, { hashAlgorithm }, signal);
  }

  /** Its machine's clock is set. @param skewMs how far it is ahead of virtual time from now on */
  setClock(skewMs: number): void {
    const byMs = skewMs - this.#skewMs;
    this.#skewMs = skewMs;
    if (byMs >= jumpMs && this.isAlive) for (const watcher of this.#jumpWatchers) watcher();
  }

  /** Ends the process without a word, as kill -9 does: what was under way never goes on. */
  kill(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.options.account.time.forget(this);
    this.onKilled();
  }

  /** Ends the process as SPIRE does. */
  async close(signal: AbortSignal): Promise<void> {
    await this.keyManager.close(signal);
    this.kill();
  }

  #jumped(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const forget = () => {
        this.#jumpWatchers.delete(jumped);
        signal.removeEventListener("abort", aborted);
      };
      const jumped = () => {
        forget();
        resolve();
      };
      const aborted = () => {
        forget();
        reject(signal.reason);
      };
      this.#jumpWatchers.add(jumped);
      signal.addEventListener("abort", aborted);
    });
  }

  #clients(home: string) {
    const { account, discardCredentials } = this.options;
    return simulatedClients({
      // Not the process's own: what is under way when it is killed may still arrive.
      clock: account.time.clockFor(undefined, this.#random),
      callerClock: this.clock,
      telemetry: noTelemetry,
      serverTime: () => account.dateOfAnswers,
      passageOf: (operation, input, region = home) => this.#passage(operation, input, region),
      isAlive: () => this.isAlive,
      ...(discardCredentials === undefined ? {} : { discardCredentials }),
    });
  }

  #passage(operation: string, input: object, region: string): Passage {
    const { account, latencyMs = 0 } = this.options;
    const { accessKeyId } = this;
    const trouble = account.fateOf(this, operation, region);
    const traveller = { account, random: this.#random, operation, input, caller: this, accessKeyId, region, latencyMs };
    const passage = passageThrough(trouble, traveller);
    return { ...passage, effect: () => this.#arrive(operation, passage.effect) };
  }

  async #arrive(operation: string, effect: () => Promise<unknown>): Promise<unknown> {
    await this.gate?.(operation);
    const crash = this.#crashNow();
    if (crash === "before") return this.#die();
    const outcome = effect();
    if (crash === undefined) return outcome;
    await outcome.catch(() => undefined);
    return this.#die();
  }

  #crashNow(): "before" | "after" | undefined {
    if (this.crashIn === undefined) return undefined;
    this.crashIn.calls--;
    return this.crashIn.calls <= 0 ? this.crashIn.when : undefined;
  }

  #die(): Promise<never> {
    this.kill();
    return never();
  }

  #logger(): Logger {
    const line =
      (level: LogLine["level"]) =>
      (message: string, fields: LogFields = {}) => {
        if (this.isAlive) this.log.push({ level, message, fields, at: this.options.account.time.now });
      };
    return { debug: () => undefined, info: line("info"), warn: line("warn"), error: line("error") };
  }
}
