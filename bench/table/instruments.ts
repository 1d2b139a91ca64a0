/** What a measurement works with: a driver that loads plugins as SPIRE does, and a KMS for them to call. */

/** How KMS behaves; nothing told, it answers at once. The fields are those of the stub's own options. */
export interface KmsBehaviour {
  readonly lateShare?: number;
  readonly lateMs?: number;
  readonly signQuota?: number;
  readonly createDelayMs?: number;
  readonly foreignKeys?: number;
  /** In place of all aliases that there are, each on a key of its own. */
  readonly aliases?: readonly { readonly name: string; readonly spec: string }[];
}

export interface Kms {
  readonly endpoint: string;
  /** From now on; the counts begin anew. */
  behave(behaviour: KmsBehaviour): Promise<void>;
  /** How many calls of each operation were answered, and `throttled` of them. */
  counts(): Promise<Readonly<Record<string, number>>>;
  close(): Promise<void>;
}

export interface Spent {
  readonly ms: number;
  /** Of the plugin's process, with all its threads. */
  readonly cpuMs: number;
}

export interface SignRun {
  readonly keyId: string;
  readonly hash?: "SHA256" | "SHA384";
  readonly calls: number;
  /** Each asks again when it is answered. */
  readonly callers?: number;
  /** Instead of callers: so many calls a second, whether or not earlier ones were answered. */
  readonly perSecond?: number;
  /** Not even the first signature is verified by the driver: for the first call of all, and where calls are counted. */
  readonly unchecked?: boolean;
  /** So many keys are made meanwhile, one after another. */
  readonly generate?: number;
}

export interface SignResult extends Spent {
  readonly succeeded: number;
  /** How many failed, by their status. */
  readonly failed: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** Milliseconds of the calls that succeeded. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export interface Driver {
  /** What it is, for the report. */
  readonly name: string;
  /** Wall time of a program, from exec to its end. */
  exec(path: string, args: readonly string[], env: readonly string[]): Promise<number>;
  start(plugin: string, path: string, env: readonly string[]): Promise<{ readonly pid: number; readonly ms: number }>;
  configure(plugin: string, hcl: string): Promise<Spent>;
  sign(plugin: string, run: SignRun): Promise<SignResult>;
  cpuMs(plugin: string): Promise<number>;
  kill(plugin: string): Promise<void>;
  close(): Promise<void>;
}
