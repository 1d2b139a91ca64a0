/** Runs calls: faults and pauses around the operation, quotas before it, the journal behind it. */
import {
  createKeyMaterialSource,
  createSymmetricMaterial,
  type RsaGenerator,
  storeMaterial,
} from "../crypto/key-material.ts";
import { Directory } from "../directory/directory.ts";
import { type EmulatorClock, systemClock } from "../drills/clock.ts";
import { type FaultEffect, Faults } from "../drills/faults.ts";
import { Journal, type OpenRecord } from "../drills/journal.ts";
import { Pauses } from "../drills/pauses.ts";
import { EmulatorError } from "../errors.ts";
import { AwsException } from "../exceptions.ts";
import { defaultLimits, type Limits } from "../framework/limits.ts";
import type { Operation } from "../framework/operation.ts";
import { isRegionName } from "../identifiers.ts";
import { callerOf } from "../identity.ts";
import { operations } from "../operations/index.ts";
import { requireKnownOptions } from "../options/option-names.ts";
import type { EngineOptions } from "../options/options.ts";
import { type AccessControlSource, createAccessControl } from "../policy/access-control.ts";
import { createRandom, type Random } from "../random.ts";
import { plant } from "../seeds/plant.ts";
import { checkSeeds } from "../seeds/read-seeds.ts";
import type { Seeds } from "../seeds/seed-file.ts";
import type { Mutation } from "../state/records.ts";
import { Store } from "../state/store.ts";
import { CallContext, type CalledBy, type ContextParts } from "./call-context.ts";
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
interface EngineCall extends CalledBy {
  readonly operation: string;
  /** Unchecked. */
  readonly input: unknown;
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
  readonly store: Store;
  readonly random: Random;
  readonly directory: Directory;
  readonly faults: Faults;
  readonly pauses = new Pauses();
  readonly journal: Journal;
  readonly waits = new Waits();
  readonly #quotas: Quotas | undefined;
  readonly #seeds: Seeds | undefined;
  readonly #parts: ContextParts;

  constructor(options: EngineOptions = {}, parts: EngineParts = {}) {
    requireKnownOptions(options);
    this.#seeds = options.seeds === undefined ? undefined : checkSeeds(options.seeds);
    this.account = options.account ?? "111122223333";
    this.defaultRegion = options.region ?? "us-east-1";
    if (!isRegionName(this.defaultRegion)) {
      throw new EmulatorError("INVALID_OPTION", `${this.defaultRegion} is not the name of a Region`);
    }
    this.clock = options.clock ?? systemClock();
    const random = createRandom(options.seed ?? 1);
    this.random = random;
    this.store = new Store(() => storeMaterial(createSymmetricMaterial(random)));
    this.store.lastUsage.begin(this.clock.now());
    this.faults = new Faults(this.random);
    this.journal = new Journal(options.journalLimit ?? 10_000);
    this.directory = new Directory({
      account: this.account,
      identities: options.identities ?? [],
      roles: options.roles ?? [],
      providers: options.oidcProviders ?? [],
      principals: options.principals ?? [],
      isStrict: options.authorize ?? false,
      session: (accessKeyId) => this.store.credentials.session(accessKeyId),
    });
    this.#quotas = options.quotas ? new Quotas(options.quotas, operations.keys()) : undefined;
    const limits: Limits = { ...defaultLimits, ...options.limits };
    this.#parts = {
      clock: this.clock,
      store: this.store,
      random: this.random,
      directory: this.directory,
      limits,
      materials: createKeyMaterialSource(this.random, { ...parts, reuseRsaKeys: options.reuseRsaKeys }),
      access: this.#accessControl(options, limits),
      transitionMs: options.transitionMs ?? 2000,
      hasAwsManagedAliases: options.awsManagedAliases ?? true,
    };
  }

  /** Carries out one call with faults, pauses and journal. Never throws and never rejects; a promise only if it must wait. */
  execute(call: EngineCall): EngineReply | Promise<EngineReply> {
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
    const effects = this.faults.hit(call.operation, call.input, record.caller, startMs);
    if (effects.length > 0 || this.pauses.isWaiting) return this.#drill(operation, call, record, effects);
    const reply = this.#run(operation, call, undefined);
    if (reply instanceof Promise) return this.#finish(reply, record, effects);
    record.durationMs = this.clock.now() - startMs;
    return recordEnding(record, reply, reply);
  }

  #accessControl(options: EngineOptions, limits: Limits): AccessControlSource {
    return createAccessControl({
      isEvaluating: options.authorize ?? false,
      maxPolicyBytes: limits.policyBytes,
      store: this.store,
      clock: () => this.clock.now(),
      principalExists: (name) => this.directory.principalExists(name),
    });
  }

  /** Puts the seeds into a state that holds no key yet, such as a new one. */
  plantSeeds(): void {
    if (this.#seeds === undefined || this.store.hasKeys) return;
    this.store.commit(this.#seedChanges(this.#seeds), this.clock.now());
  }

  /** Back to the seeds. Calls that are under way take effect on what is then there. */
  reset(): void {
    this.store.replaceAll(this.#seeds === undefined ? [] : this.#seedChanges(this.#seeds), this.clock.now());
    this.faults.clear();
    this.pauses.close("the emulator was reset");
    this.journal.clear();
    this.#quotas?.clear();
  }

  #seedChanges(seeds: Seeds): readonly Mutation[] {
    const { account, defaultRegion: region, random } = this;
    return plant(seeds, { account, region, nowMs: this.clock.now(), random, materials: this.#parts.materials });
  }

  /** Lets held and delayed calls go. */
  close(): void {
    this.pauses.close();
    this.waits.close();
  }

  /** A call that something may be done to. */
  async #drill(
    operation: Operation,
    call: EngineCall,
    record: OpenRecord,
    effects: readonly FaultEffect[],
  ): Promise<EngineReply> {
    for (const effect of effects) if (effect.kind === "delay") await this.waits.sleep(effect.ms);
    const held = this.pauses.hold("before", record);
    if (held) await held;
    const early = replyWithoutCall(effects, operation.service);
    if (early) {
      record.durationMs = this.clock.now() - record.time.getTime();
      return recordEnding(record, early, undefined);
    }
    const lag = effects.find((effect) => effect.kind === "consistency-lag");
    return this.#finish(this.#run(operation, call, lag?.ms), record, effects);
  }

  /** @param running may take a while, and a pause may come into force meanwhile */
  async #finish(
    running: EngineReply | Promise<EngineReply>,
    record: OpenRecord,
    effects: readonly FaultEffect[],
  ): Promise<EngineReply> {
    const reply = await running;
    const answer = replyAfterCall(effects, reply);
    const held = this.pauses.hold("after", record);
    if (held) await held;
    record.durationMs = this.clock.now() - record.time.getTime();
    return recordEnding(record, answer, reply);
  }

  #run(operation: Operation, call: EngineCall, lagMs: number | undefined): EngineReply | Promise<EngineReply> {
    const { service } = operation;
    try {
      this.store.settle(this.clock.now());
      const context = new CallContext(this.#parts, call, lagMs);
      if (this.#quotas && !this.#quotas.admit(context, call.operation, call.input)) throw throttlingException(service);
      const result = operation.call(context, call.input);
      if (!(result instanceof Promise)) return { kind: "output", output: result };
      return result.then(
        (output) => ({ kind: "output", output }),
        (error) => ({ kind: "exception", exception: inDialect(service, error) }),
      );
    } catch (error) {
      return { kind: "exception", exception: inDialect(service, error) };
    }
  }
}
