/** A plugin process in virtual time: configured, called, and killed at any moment. */

import { ConfiguredKeyManager } from "../../src/key-manager/configured-key-manager.ts";
import type { Clock, LogFields, Logger } from "../../src/key-manager/ports.ts";
import { noTelemetry } from "../../src/key-manager/telemetry.ts";
import { awsKmsPreparation } from "../../src/plugin/aws-kms/preparation.ts";
import { type AwsKmsConfig, parseConfig } from "../../src/plugin/aws-kms/settings.ts";
import type { Setting } from "../../src/plugin/settings/plugin-data.ts";
import type { Account } from "./account.ts";
import { simulatedClients } from "./simulated-sdk.ts";
import type { Weather } from "./weather.ts";

export type Settings = Readonly<Record<string, Setting>>;

export interface LogLine {
  readonly level: keyof Logger;
  readonly message: string;
  readonly fields: LogFields;
  readonly at: number;
}

export interface SpireProcessOptions {
  readonly account: Account;
  readonly weather: Weather;
  readonly random: () => number;
  /** Whether there may be other credentials once AWS has refused these. Default: now and then. */
  readonly discardCredentials?: () => boolean;
}

export function configOf(settings: Settings): AwsKmsConfig {
  const all = { region: "us-east-1", key_identifier_value: "server", ...settings };
  const { config, problems } = parseConfig("example.org", { settings: all, problems: [] });
  if (config === undefined) throw new Error(problems.join("; "));
  return config;
}

export class SpireProcess {
  readonly keyManager: ConfiguredKeyManager<AwsKmsConfig>;
  readonly clock: Clock;
  readonly log: LogLine[] = [];
  readonly #options: SpireProcessOptions;
  isAlive = true;
  isConfigured = false;

  constructor(options: SpireProcessOptions) {
    this.#options = options;
    const { account, weather, random, discardCredentials = () => random() < 0.5 } = options;
    this.clock = account.time.clockFor(this, random);
    const log = this.#logger();
    this.keyManager = new ConfiguredKeyManager<AwsKmsConfig>({
      clock: this.clock,
      log,
      prepare: awsKmsPreparation({ clock: this.clock, log }),
      createClients: () =>
        simulatedClients({
          // Not the process's own: what is under way when it is killed may still arrive.
          clock: account.time.clockFor(undefined, random),
          callerClock: this.clock,
          telemetry: noTelemetry,
          serverTime: () => new Date(account.time.now),
          passageOf: (operation, input) => weather.passageOf(operation, input),
          isAlive: () => this.isAlive,
          discardCredentials,
        }),
    });
  }

  async configure(settings: Settings, signal?: AbortSignal): Promise<void> {
    await this.keyManager.configure(configOf(settings), signal);
    this.isConfigured = true;
  }

  /** kill -9. */
  kill(): void {
    this.isAlive = false;
    this.#options.account.time.forget(this);
  }

  #logger(): Logger {
    const line =
      (level: LogLine["level"]) =>
      (message: string, fields: LogFields = {}) => {
        if (this.isAlive) this.log.push({ level, message, fields, at: this.#options.account.time.now });
      };
    return { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  }
}
