/**
 * One pruning by hand: the plugin's own scans, made now, and the plugin's own queue for what an operator agrees to.
 *
 * The first look is a scan whose findings are kept instead of being queued; the second is the one that the queue makes of
 * each key before it schedules it. No server is meant by "in use": a running one refreshes what it uses.
 */
import type { KeyManagerConfig, UpkeepConfig } from "../config.ts";
import type { DeletionOutcome, DeletionRequest, Deletions } from "../deletions.ts";
import { explain } from "../errors.ts";
import { Fleet } from "../fleet/fleet.ts";
import { KeyRing } from "../keys/key-ring.ts";
import type { KeyNames } from "../names.ts";
import { KmsTime } from "../pace/kms-time.ts";
import { LogLimits } from "../pace/log-limit.ts";
import {
  type Clock,
  isKmsError,
  type KmsClient,
  type KmsError,
  type LogFields,
  type Logger,
  type RegionClients,
  type TaggingClient,
} from "../ports.ts";
import { regionsOf } from "../regions/regions.ts";
import { DeletionQueue } from "../removal/deletion-queue.ts";
import type { ScanSetup } from "../setup.ts";
import type { TagIdentity } from "../tags/spire-tags.ts";
import { KeyTagging } from "../tags/tag-mode.ts";
import { noTelemetry } from "../telemetry.ts";
import { scanTasks } from "./upkeep.ts";

export interface PruneNowOptions {
  readonly config: KeyManagerConfig;
  readonly upkeep: UpkeepConfig;
  readonly kms: KmsClient;
  readonly tagging: TaggingClient;
  /** For members of multi-Region keys. */
  readonly inRegion: (region: string) => RegionClients;
  readonly clock: Clock;
  /** This server's own, which it never prunes by their aliases. */
  readonly names: KeyNames;
  /** In tag mode. */
  readonly identity: TagIdentity | undefined;
  readonly signal: AbortSignal;
}

/** A scan that could not be made, or not to its end. */
export interface FailedScan {
  readonly scan: string;
  readonly consequence: string;
  readonly error: KmsError;
}

export interface Prunable {
  /** What the first look has found, at most `max_deletions_per_scan` a scan. */
  readonly requests: readonly DeletionRequest[];
  /** Found, and beyond `max_deletions_per_scan`. */
  readonly deferred: number;
  /** What was looked at closely and stays, with the reason. */
  readonly spared: readonly LogFields[];
  /** Why ages cannot be told; then nothing is found. */
  readonly doubts: readonly string[];
  readonly failed: readonly FailedScan[];
}

export interface PruneResult {
  readonly request: DeletionRequest;
  readonly outcome: DeletionOutcome;
  readonly deletionDate: Date | undefined;
  /** Why it was not scheduled. */
  readonly reason: string | undefined;
}

/** Keeps what it is asked for. */
class Findings implements Deletions {
  readonly requests: DeletionRequest[] = [];
  readonly ownSize = 0;

  async schedule(request: DeletionRequest): Promise<DeletionOutcome> {
    this.requests.push(request);
    return "not done";
  }

  has(keyArn: string): boolean {
    return this.requests.some((request) => request.keyArn === keyArn);
  }

  hasFailed(): boolean {
    return false;
  }

  reclaim(): undefined {
    return undefined;
  }
}

const quiet: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function setupOf(options: PruneNowOptions, deletions: Deletions, log: Logger): ScanSetup {
  const { config, upkeep, kms, tagging, inRegion, clock, names, identity } = options;
  return {
    clock,
    log,
    telemetry: noTelemetry,
    limits: new LogLimits(clock),
    deletions,
    processName: "spire-aws-kms prune",
    config,
    kms,
    tagging,
    names,
    keyPolicy: async () => undefined,
    tags: new KeyTagging({ kms, clock, log, keyTags: [], identity }),
    ring: new KeyRing(clock, new Map()),
    kmsTime: new KmsTime(clock),
    regions: regionsOf(config, { kms, inRegion }),
    fleet: new Fleet({ kms, names, clock, log, upkeep }),
    configuredAt: clock.now(),
  };
}

/** A server knows which of its own keys it uses; from outside only their tags are to be seen. */
const isForTheServerItself = ({ rule }: DeletionRequest): boolean => rule === "unused";

/** The first look. Changes nothing. */
export async function findPrunable(options: PruneNowOptions): Promise<Prunable> {
  const findings = new Findings();
  const spared: LogFields[] = [];
  const log: Logger = {
    ...quiet,
    debug: (message, fields) => message.startsWith("Left alone") && fields && spared.push(fields),
  };
  const setup = setupOf(options, findings, log);
  const doubts: string[] = [];
  const failed: FailedScan[] = [];
  let deferred = 0;
  for (const task of scanTasks({ ...options.upkeep, setup, pruneDryRun: false, pruneConfirmDelayMs: 0 })) {
    try {
      const report = await task.runOnce(options.signal);
      if (typeof report.doubt === "string") doubts.push(report.doubt);
      if (typeof report.deferred === "number") deferred += report.deferred;
    } catch (error) {
      if (!isKmsError(error, "ACCESS_DENIED")) throw error;
      failed.push({ scan: task.name, consequence: task.consequence, error });
    }
  }
  const forServer = findings.requests.filter(isForTheServerItself);
  for (const { keyArn, aliasName } of forServer) {
    const reason = "it has this server's tags, and the server itself knows whether it uses it: its own scans take it";
    spared.push({ key_arn: keyArn, alias_name: aliasName, reason });
  }
  const requests = findings.requests.filter((request) => !isForTheServerItself(request));
  return { requests, deferred, spared, doubts, failed };
}

/** Notes how each key's calls ended. */
function watched(kms: KmsClient, dates: Map<string, Date | undefined>, errors: Map<string, unknown>): KmsClient {
  const noting = <A extends readonly unknown[], R>(call: (keyId: string, ...rest: A) => Promise<R>) => {
    return async (keyId: string, ...rest: A): Promise<R> => {
      try {
        return await call(keyId, ...rest);
      } catch (error) {
        errors.set(keyId, error);
        throw error;
      }
    };
  };
  const schedule = noting(kms.scheduleKeyDeletion.bind(kms));
  return {
    createKey: kms.createKey.bind(kms),
    getPublicKey: kms.getPublicKey.bind(kms),
    sign: kms.sign.bind(kms),
    async *listAliases(keyId, callOptions) {
      try {
        yield* kms.listAliases(keyId, callOptions);
      } catch (error) {
        if (keyId !== undefined) errors.set(keyId, error);
        throw error;
      }
    },
    listKeys: kms.listKeys.bind(kms),
    replicateKey: kms.replicateKey.bind(kms),
    updatePrimaryRegion: kms.updatePrimaryRegion.bind(kms),
    createAlias: kms.createAlias.bind(kms),
    updateAlias: kms.updateAlias.bind(kms),
    deleteAlias: kms.deleteAlias.bind(kms),
    describeKey: noting(kms.describeKey.bind(kms)),
    getKeyLastUsage: noting(kms.getKeyLastUsage.bind(kms)),
    tagResource: noting(kms.tagResource.bind(kms)),
    async scheduleKeyDeletion(keyId, days, callOptions) {
      const scheduled = await schedule(keyId, days, callOptions);
      dates.set(keyId, scheduled.deletionDate);
      return scheduled;
    },
  };
}

/**
 * The second look at each key, and ScheduleKeyDeletion of those that are still to go. Each is tried once: an operator who
 * waits is told what failed.
 */
export async function* pruneFound(
  requests: readonly DeletionRequest[],
  { kms, clock }: Pick<PruneNowOptions, "kms" | "clock">,
): AsyncGenerator<PruneResult> {
  const dates = new Map<string, Date | undefined>();
  const errors = new Map<string, unknown>();
  const reasons = new Map<string, string>();
  const note = (_message: string, fields: LogFields = {}) => {
    const { key_arn: keyArn, reason } = fields;
    if (typeof keyArn === "string" && typeof reason === "string") reasons.set(keyArn, reason);
  };
  const once: Clock = {
    now: () => clock.now(),
    elapsedMs: () => clock.elapsedMs(),
    random: () => clock.random(),
    sleep: async () => {
      throw new Error("it was tried once");
    },
  };
  const log: Logger = { debug: note, info: note, warn: note, error: note };
  const queue = new DeletionQueue({ clock: once, log, isInUse: () => false });
  const watchedKms = watched(kms, dates, errors);
  const running = requests.map(async (request): Promise<PruneResult> => {
    const { keyArn } = request;
    const outcome = await queue.schedule({ ...request, kms: watchedKms });
    const error = errors.get(keyArn) ?? errors.get(keyArn.slice(keyArn.lastIndexOf("/") + 1));
    const reason = outcome === "not done" && error !== undefined ? explain(error) : reasons.get(keyArn);
    const isDone = outcome === "scheduled" || outcome === "not found";
    return { request, outcome, deletionDate: dates.get(keyArn), reason: isDone ? undefined : reason };
  });
  for (const result of running) yield await result;
}
