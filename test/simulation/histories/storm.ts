/** One history: a server that signs, rotates, is reconfigured, cancelled and killed while everything fails around it. */
import { createHash } from "node:crypto";
import { LoneServerWorld, serverId } from "../lone-server.ts";
import { aliases, keysOf, stateOf } from "../operator.ts";
import { aliasOf, hourMs, minuteMs, secondMs } from "../scenes.ts";
import { codeOf, givenUp, type Settings, type SimulatedServer } from "../simulated-server.ts";
import type { Trouble } from "../troubles.ts";
import { seededRandom } from "../virtual-time.ts";
import { Weather } from "../weather.ts";

const keyIds = ["x509-CA-A", "x509-CA-B", "JWT-Signer-A"] as const;
type KeyId = (typeof keyIds)[number];

/** What a history has seen. */
export interface Chronicle {
  readonly seed: number;
  readonly violations: readonly string[];
  readonly signatures: number;
  readonly generations: number;
  readonly crashes: number;
  readonly configurations: number;
  readonly keysCreated: number;
  /** By trouble and operation. */
  readonly troubles: ReadonlyMap<Trouble, ReadonlyMap<string, number>>;
  /** How calls of SPIRE ended: by call, then by code. */
  readonly endings: ReadonlyMap<string, ReadonlyMap<string, number>>;
}

type Table<Row> = Map<Row, Map<string, number>>;

const tally = <Row>(table: Table<Row>, row: Row, column: string): void => {
  const counts = table.get(row) ?? new Map<string, number>();
  table.set(row, counts);
  counts.set(column, (counts.get(column) ?? 0) + 1);
};

class Storm {
  readonly #seed: number;
  readonly #random: () => number;
  readonly #world = new LoneServerWorld();
  readonly #account = this.#world.account;
  readonly #truth = this.#world.truth;
  readonly #weather: Weather;
  readonly #troubles: Table<Trouble> = new Map();
  readonly #endings: Table<string> = new Map();
  readonly #settings: Settings;
  #process: SimulatedServer;
  #signatures = 0;
  #crashes = 0;
  #configurations = 0;

  constructor(seed: number, settings: Settings) {
    this.#seed = seed;
    this.#random = seededRandom(seed);
    const isLagging = this.#random() < 0.4;
    if (isLagging) this.#account.rememberPast();
    this.#weather = new Weather({ random: this.#random, isLagging });
    this.#account.fateOf = (_, operation) => {
      const trouble = this.#weather.next(operation);
      if (trouble !== undefined) tally(this.#troubles, trouble, operation);
      return trouble;
    };
    this.#settings = {
      enable_tag_based_key_discovery: this.#random() < 0.25,
      max_keys_created_per_hour: { number: "0" },
      // Seldom: a history is about minutes, and its last four days shall cost little.
      alias_refresh_interval: "72h",
      stale_alias_scan_interval: "96h",
      ...settings,
    };
    this.#process = this.#newProcess();
  }

  async run(): Promise<Chronicle> {
    await this.#world.open();
    const steps = 15 + Math.floor(this.#random() * 30);
    this.#start();
    await this.#live(5 * secondMs);
    for (let step = 0; step < steps; step++) {
      this.#act();
      await this.#live(this.#random() ** 3 * 40 * secondMs);
    }
    await this.#end();
    return {
      seed: this.#seed,
      violations: this.#truth.violations,
      signatures: this.#signatures,
      generations: this.#truth.generated.size,
      crashes: this.#crashes,
      configurations: this.#configurations,
      keysCreated: this.#truth.createdKeys.length,
      troubles: this.#troubles,
      endings: this.#endings,
    };
  }

  #newProcess(): SimulatedServer {
    const random = this.#random;
    return this.#world.server(random, { settings: this.#settings, discardCredentials: () => random() < 0.5 });
  }

  /** Whatever a random moment has in store. */
  #act(): void {
    const choice = this.#random();
    const keyId = this.#keyId();
    if (choice < 0.3) void this.#generate(keyId);
    else if (choice < 0.7) for (let n = 0; n < 1 + this.#random() * 4; n++) void this.#sign(this.#keyId());
    else if (choice < 0.78) void this.#reconfigure();
    else if (choice < 0.88) this.#weather.change();
    else if (choice < 0.95) this.#crash();
    else this.#look();
  }

  #keyId(): KeyId {
    return keyIds[Math.floor(this.#random() * keyIds.length)] ?? keyIds[0];
  }

  /** A deadline of SPIRE's 30 s, or a caller who gives up before. */
  #signal(): AbortSignal {
    const ms = this.#random() < 0.7 ? 30 * secondMs : this.#random() ** 2 * 30 * secondMs;
    return this.#account.time.signalAfter(ms, givenUp("CANCELLED"));
  }

  async #generate(keyId: KeyId): Promise<void> {
    const process = this.#process;
    const keyType = this.#random() < 0.1 ? "ec-p384" : "ec-p256";
    const key = await this.#told("GenerateKey", () => process.generate(keyId, keyType, this.#signal()));
    if (key === undefined || process !== this.#process) return;
    if (key.keyId !== keyId || key.keyType !== keyType)
      this.#truth.violation(`GenerateKey ${keyId} answered ${key.keyId}`);
    this.#truth.hasGenerated(keyId, key.fingerprint);
    this.#look();
  }

  async #sign(keyId: KeyId): Promise<void> {
    const process = this.#process;
    const since = this.#account.time.now;
    const message = Buffer.from(`${keyId} ${since} ${this.#random()}`);
    const keyType = process.isConfigured ? process.entries.get(keyId)?.keyType : undefined;
    const hash = keyType === "ec-p384" ? "sha384" : "sha256";
    const digest = createHash(hash).update(message).digest();
    const hashAlgorithm = hash === "sha384" ? "SHA384" : "SHA256";
    const answer = await this.#told("SignData", () => process.sign(keyId, digest, hashAlgorithm, this.#signal()));
    if (answer === undefined) return;
    this.#signatures++;
    const { signature, keyFingerprint } = answer;
    if (!this.#truth.verifies(keyFingerprint, message, hash, signature)) {
      this.#truth.violation(`a signature of ${keyId} does not verify under ${keyFingerprint}`);
    }
    if (process === this.#process && !this.#truth.mayAnswer(keyId, keyFingerprint, since)) {
      this.#truth.violation(`${keyId} signed with ${this.#truth.key(keyFingerprint)?.keyArn}, not its last key`);
    }
  }

  /** What GetPublicKeys answers at this moment. */
  #look(): void {
    if (!this.#process.isConfigured) return;
    const now = this.#account.time.now;
    for (const { keyId, fingerprint } of this.#process.publicKeys) {
      if (!this.#truth.mayAnswer(keyId, fingerprint, now)) {
        this.#truth.violation(`${keyId} answers with ${this.#truth.key(fingerprint)?.keyArn}, not its last key`);
      }
    }
  }

  async #reconfigure(): Promise<void> {
    const process = this.#process;
    if (!process.isConfigured) return;
    const changes = [
      { pending_window_in_days: { number: "9" } },
      { retag_existing_keys: true, key_tags: { Team: "security" } },
      {},
    ];
    const change = changes[Math.floor(this.#random() * changes.length)] ?? {};
    this.#configurations++;
    await this.#told("Configure", () => process.configure(change, this.#signal()));
    if (process === this.#process) this.#look();
  }

  #crash(): void {
    this.#crashes++;
    this.#process.kill();
    this.#process = this.#newProcess();
    // The service manager needs its time.
    this.#account.time.after((1 + this.#random() * 9) * secondMs, () => this.#start());
  }

  /** SPIRE gives up when Configure fails, and is started again. */
  #start(): void {
    const process = this.#process;
    void (async () => {
      const done = await this.#told("Configure at start", async () => {
        await process.configure({}, this.#signal());
        return true;
      });
      if (process !== this.#process) return;
      if (done) this.#look();
      else this.#crash();
    })();
  }

  /** Runs a call of SPIRE and notes how it ended. */
  async #told<T>(call: string, run: () => Promise<T>): Promise<T | undefined> {
    try {
      const answer = await run();
      tally(this.#endings, call, "OK");
      return answer;
    } catch (error) {
      const code = codeOf(error);
      tally(this.#endings, call, code ?? "?");
      if (code === undefined) this.#truth.violation(`${call} threw ${String(error)}`);
      return undefined;
    }
  }

  #live(ms: number): Promise<void> {
    return this.#account.time.run(ms);
  }

  /** Fair weather at last: start after whatever was, use every key, and grow old. */
  async #end(): Promise<void> {
    const { time } = this.#account;
    this.#weather.clear();
    if (this.#random() < 0.5) this.#process.kill();
    else await this.#live(2 * minuteMs);
    this.#process.kill();
    await this.#live(secondMs);
    this.#process = this.#newProcess();
    const configured = this.#process.configure();
    await time.until(configured).catch((error) => this.#truth.violation(`start failed: ${String(error)}`));
    this.#look();
    for (const keyId of this.#truth.generated.keys()) await time.until(this.#sign(keyId as KeyId));
    await this.#checkPresence();
    // Two days until a key counts as stale, two between scans.
    await this.#live(97 * hourMs);
    await this.#checkPresence();
    await this.#checkAccount();
    this.#process.kill();
  }

  /** The keys that the server holds, by id, as KMS knows them. */
  #held(): ReadonlyMap<string, string> {
    const entries = this.#process.isConfigured ? [...this.#process.entries.values()] : [];
    return new Map(
      entries.map(({ keyId, fingerprint }) => [keyId, this.#truth.key(fingerprint)?.keyArn ?? fingerprint]),
    );
  }

  async #checkPresence(): Promise<void> {
    const present = this.#held();
    for (const keyId of this.#truth.generated.keys()) {
      const keyArn = present.get(keyId);
      if (keyArn === undefined) this.#truth.violation(`${keyId} was generated and is not there any more`);
      else if ((await stateOf(this.#account, keyArn)) !== "Enabled") {
        this.#truth.violation(`${keyId} has a key that is not enabled`);
      }
    }
  }

  /** Every key is in use, a stranger's, or pending deletion. */
  async #checkAccount(): Promise<void> {
    const used = new Map([...this.#held()].map(([keyId, keyArn]) => [keyArn, aliasOf(serverId, keyId)]));
    const targets = await aliases(this.#account);
    for (const { Arn, KeyId, KeyState } of await keysOf(this.#account)) {
      if (this.#account.strangers.includes(Arn)) {
        if (KeyState !== "Enabled") this.#truth.violation(`a stranger's key is ${KeyState}`);
        continue;
      }
      const aliasName = used.get(Arn);
      if (aliasName === undefined && KeyState === "Enabled") {
        this.#truth.violation(`unused key ${Arn} is not scheduled`);
      }
      if (aliasName !== undefined && targets.get(aliasName) !== KeyId) {
        this.#truth.violation(`${aliasName} does not stand on the key in use`);
      }
    }
  }
}

/**
 * Lives through the history of a seed.
 *
 * @param settings over those that histories have, to see what they show
 */
export const liveThroughStorm = (seed: number, settings: Settings = {}): Promise<Chronicle> =>
  new Storm(seed, settings).run();
