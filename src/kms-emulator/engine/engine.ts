/** Runs calls: faults and pauses around the operation, quotas before it, the journal behind it. */
import {
  createKeyMaterialSource,
  type KeyMaterialSource,
  type RsaGenerator,
  restoreMaterial,
} from "../crypto/key-material.ts";
import { Directory } from "../directory/directory.ts";
import { type EmulatorClock, systemClock } from "../drills/clock.ts";
import { Faults } from "../drills/faults.ts";
import { Journal, type OpenRecord } from "../drills/journal.ts";
import { Pauses } from "../drills/pauses.ts";
import { EmulatorError } from "../errors.ts";
import { AwsException } from "../exceptions.ts";
import type { OperationContext } from "../framework/context.ts";
import { defaultLimits, type Limits } from "../framework/limits.ts";
import type { Operation } from "../framework/operation.ts";
import { isRegionName } from "../identifiers.ts";
import { callerOf, type Identity } from "../identity.ts";
import { operations } from "../operations/index.ts";
import type { EngineOptions } from "../options.ts";
import { type AccessControl, createAccessControl } from "../policy/access-control.ts";
import { createRandom, type Random } from "../random.ts";
import { RegionView } from "../state/region-view.ts";
import { Store } from "../state/store.ts";
import { Quotas } from "./quotas.ts";
import {
  type EngineReply,
  inDialect,
  recordEnding,
  replyAfterCall,
  replyWithoutCall,
  throttlingException,
} from "./reply.ts";
import { Waits } from "./waits.ts";

/** A call as a transport hands it over. */
interface EngineCall {
  readonly operation: string;
  /** Unchecked. */
  readonly input: unknown;
  readonly region: string;
  readonly caller: Identity;
  /** The id that the transport answers with; made up where the call has none. */
  readonly requestId?: string;
}

/** What our own tests put in place of the engine's parts. */
interface EngineParts {
  readonly generateRsa?: RsaGenerator;
}

/** The emulated services without any transport: state, time, faults and the journal. */
export class Engine {
  readonly account: string;
  readonly defaultRegion: string;
  readonly clock: EmulatorClock;
  readonly store = new Store();
  readonly random: Random;
  readonly directory: Directory;
  readonly faults: Faults;
  readonly pauses = new Pauses();
  readonly journal: Journal;
  readonly waits = new Waits();
  readonly #limits: Limits;
  readonly #materials: KeyMaterialSource;
  readonly #access: AccessControl;
  readonly #quotas: Quotas | undefined;
  readonly #transitionMs: number;
  readonly #hasAwsManagedAliases: boolean;

  constructor(options: EngineOptions = {}, parts: EngineParts = {}) {
    this.account = options.account ?? "111122223333";
    this.defaultRegion = options.region ?? "us-east-1";
    if (!isRegionName(this.defaultRegion)) {
      throw new EmulatorError("INVALID_OPTION", `${this.defaultRegion} is not the name of a Region`);
    }
    this.clock = options.clock ?? systemClock();
    this.store.lastUsage.begin(this.clock.now());
    this.random = createRandom(options.seed ?? 1);
    this.faults = new Faults(this.random);
    this.journal = new Journal(options.journalLimit ?? 10_000);
    this.directory = new Directory({
      account: this.account,
      identities: options.identities ?? [],
      roles: options.roles ?? [],
      providers: options.oidcProviders ?? [],
      principals: options.principals ?? [],
      isStrict: options.authorize ?? false,
      session: (accessKeyId) => this.store.session(accessKeyId),
    });
    this.#quotas = options.quotas ? new Quotas(options.quotas) : undefined;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#materials = createKeyMaterialSource(this.random, { ...parts, reuseRsaKeys: options.reuseRsaKeys });
    this.#access = createAccessControl({
      isEvaluating: options.authorize ?? false,
      maxPolicyBytes: this.#limits.policyBytes,
      store: this.store,
      clock: () => this.clock.now(),
      principalExists: (name) => this.directory.principalExists(name),
    });
    this.#transitionMs = options.transitionMs ?? 2000;
    this.#hasAwsManagedAliases = options.awsManagedAliases ?? true;
  }

  /** Carries out one call with faults, pauses and journal. Never rejects. */
  async execute(call: EngineCall): Promise<EngineReply> {
    const operation = operations.get(call.operation);
    if (!operation) return { kind: "exception", exception: new AwsException("UnknownOperationException") };
    const startMs = this.clock.now();
    const record = this.journal.open({
      time: new Date(startMs),
      service: operation.service,
      operation: call.operation,
      region: call.region,
      account: call.caller.account,
      caller: callerOf(call.caller),
      input: call.input,
    });
    const reply = await this.#perform(operation, call, record, startMs);
    record.durationMs = this.clock.now() - startMs;
    return reply;
  }

  /** Lets held and delayed calls go. */
  close(): void {
    this.pauses.close();
    this.waits.close();
  }

  async #perform(operation: Operation, call: EngineCall, record: OpenRecord, startMs: number): Promise<EngineReply> {
    const effects = this.faults.hit(call.operation, call.input, record.caller, startMs);
    for (const effect of effects) if (effect.kind === "delay") await this.waits.sleep(effect.ms);
    const held = this.pauses.hold("before", record);
    if (held) await held;
    const early = replyWithoutCall(effects, operation.service);
    if (early) return recordEnding(record, early, undefined);
    const lag = effects.find((effect) => effect.kind === "consistency-lag");
    const reply = await this.#run(operation, call, lag?.ms);
    const answer = replyAfterCall(effects, reply);
    const heldAfter = this.pauses.hold("after", record);
    if (heldAfter) await heldAfter;
    return recordEnding(record, answer, reply);
  }

  async #run(operation: Operation, call: EngineCall, lagMs: number | undefined): Promise<EngineReply> {
    try {
      this.store.settle(this.clock.now());
      const context = this.#context(call, lagMs);
      if (this.#quotas && !this.#quotas.admit(context, call.operation, call.input))
        throw throttlingException(operation.service);
      const result = operation.call(context, call.input);
      return { kind: "output", output: result instanceof Promise ? await result : result };
    } catch (error) {
      return { kind: "exception", exception: inDialect(operation.service, error) };
    }
  }

  #context(call: EngineCall, lagMs: number | undefined): OperationContext {
    const { store, clock, random } = this;
    const asOfMs = lagMs === undefined ? undefined : clock.now() - lagMs;
    const { account } = call.caller;
    return {
      account,
      region: call.region,
      caller: call.caller,
      clock: () => clock.now(),
      random,
      limits: this.#limits,
      materials: this.#materials,
      access: this.#access,
      directory: this.directory,
      lastUsage: store.lastUsage,
      view: new RegionView(store, account, call.region, asOfMs),
      transitionMs: this.#transitionMs,
      hasAwsManagedAliases: this.#hasAwsManagedAliases,
      viewOf: (otherAccount, region) => new RegionView(store, otherAccount, region, asOfMs),
      materialOf(key) {
        const material = store.material(key.materialId);
        if (!material) throw new EmulatorError("DATA_FILE_CORRUPT", `no key material ${key.materialId}`);
        return restoreMaterial(material);
      },
      noteUse(key, operation) {
        const requestId = call.requestId ?? random.uuid();
        store.lastUsage.note(key, { operation, atMs: clock.now(), eventId: random.uuid(), requestId });
      },
      commit: (...mutations) => store.commit(mutations, clock.now()),
    };
  }
}
