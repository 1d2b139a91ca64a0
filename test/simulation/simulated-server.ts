/** A SPIRE server's plugin process in virtual time: configured, used, and killed between any two calls. */

import {
  ConfiguredKeyManager,
  type ConfiguredKeyManagerOptions,
} from "../../src/key-manager/configured-key-manager.ts";
import type { KeyType } from "../../src/key-manager/key-type.ts";
import { abortController } from "../../src/key-manager/pace/concurrency.ts";
import type { Clock, KmsClient, LogFields, Logger } from "../../src/key-manager/ports.ts";
import type { Preparation } from "../../src/key-manager/setup.ts";
import { AwsException, EmulatorError } from "../../src/kms-emulator/index.ts";
import { awsKmsPreparation } from "../../src/plugin/aws-kms/preparation.ts";
import { type AwsKmsConfig, parseConfig } from "../../src/plugin/aws-kms/settings.ts";
import type { Setting } from "../../src/plugin/settings/plugin-data.ts";
import { engineClients } from "./engine-clients.ts";
import type { SimulatedAccount } from "./simulated-account.ts";
import { seededRandom } from "./virtual-time.ts";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields;
  readonly at: number;
}

export type Settings = Readonly<Record<string, Setting>>;

/** Where faulty variants of parts go in, to see that the tests notice them. */
export interface Seams {
  readonly preparation?: (preparation: Preparation) => Preparation;
  readonly kms?: (kms: KmsClient) => KmsClient;
  readonly tasks?: ConfiguredKeyManagerOptions<AwsKmsConfig>["tasks"];
}

export interface ServerOptions {
  readonly account: SimulatedAccount;
  readonly trustDomain: string;
  readonly serverId: string;
  readonly settings?: Settings;
  readonly seed?: number;
  /** How far its clock is ahead of KMS's. */
  readonly skewMs?: number;
  /** Longest time a request, and then its answer, is under way. */
  readonly latencyMs?: number;
  readonly seams?: Seams;
  /** Access key of another identity, for permissions. */
  readonly accessKeyId?: string;
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

export const settingsOf = (trustDomain: string, settings: Settings): AwsKmsConfig => {
  const result = parseConfig(trustDomain, { settings: { region: "us-east-1", ...settings }, problems: [] });
  if (result.config === undefined) throw new Error(result.problems.join("; "));
  return result.config;
};

export class SimulatedServer {
  readonly options: ServerOptions;
  readonly keyManager: ConfiguredKeyManager<AwsKmsConfig>;
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
  config: AwsKmsConfig | undefined;
  isAlive = true;

  constructor(options: ServerOptions) {
    this.options = options;
    this.accessKeyId = options.accessKeyId;
    const { account, seed = 1, skewMs = 0, seams = {} } = options;
    const random = seededRandom(seed);
    this.clock = account.time.clockFor(this, random, skewMs);
    const log = this.#logger();
    const prepare = awsKmsPreparation({ clock: this.clock, log });
    this.keyManager = new ConfiguredKeyManager<AwsKmsConfig>({
      clock: this.clock,
      log,
      createClients: () => {
        const clients = engineClients({
          wire: (operation, input) => this.#wire(operation, input),
          clock: this.clock,
          serverTime: () => new Date(account.time.now),
        });
        return seams.kms === undefined ? clients : { ...clients, kms: seams.kms(clients.kms) };
      },
      prepare: async (...given) => {
        const preparation = await prepare(...given);
        return seams.preparation?.(preparation) ?? preparation;
      },
      ...(seams.tasks === undefined ? {} : { tasks: seams.tasks }),
    });
  }

  get identity(): string {
    return `${this.options.trustDomain} ${this.options.serverId}`;
  }

  get isConfigured(): boolean {
    return this.isAlive && this.config !== undefined;
  }

  get isTagMode(): boolean {
    return this.config?.tagBasedKeyDiscovery ?? false;
  }

  get entries() {
    return this.keyManager.current.entries;
  }

  async configure(settings: Settings = {}): Promise<void> {
    const { trustDomain, serverId } = this.options;
    const config = settingsOf(trustDomain, {
      key_identifier_value: serverId,
      ...this.options.settings,
      ...settings,
    });
    await this.keyManager.configure(config);
    this.config = config;
  }

  /** SPIRE gives up after 30 s. */
  generate(keyId: string, keyType: KeyType = "ec-p256", timeoutMs = 30_000) {
    const giveUp = abortController();
    const { account } = this.options;
    account.time.after(timeoutMs, () => giveUp.abort(new Error("deadline exceeded")));
    return this.keyManager.generateKey(keyId, keyType, giveUp.signal);
  }

  /** Ends the process without a word: what was under way never goes on. */
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

  async #wire(operation: string, input: object): Promise<unknown> {
    const { account, latencyMs = 0 } = this.options;
    if (!this.isAlive) return never();
    await this.gate?.(operation);
    const crash = this.#crashNow();
    if (crash === "before") return this.#die();
    const fate = account.fateOf(this, operation);
    if (fate === "reset") throw new EmulatorError("CONNECTION_RESET", "reset by peer");
    if (latencyMs > 0) await this.clock.sleep(this.clock.random() * latencyMs);
    if (fate === "throttled") throw new AwsException("ThrottlingException", "slow down");
    const outcome = account.call(operation, input, this, this.accessKeyId);
    await outcome.catch(() => undefined);
    if (crash === "after") return this.#die();
    if (!this.isAlive) return never();
    if (latencyMs > 0) await this.clock.sleep(this.clock.random() * latencyMs);
    if (fate === "lost") throw new EmulatorError("LOST_REPLY", "no answer");
    return outcome;
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
