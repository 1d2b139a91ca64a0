/** What every measurement is given, and the rounds in which all contestants take their turns. */
import type { Driver, Kms } from "./instruments.ts";
import type { RowName } from "./rows.ts";

/** `ours`: the build that is judged; `go`: the peer; `against`: another build of ours. */
export type ContestantName = "ours" | "go" | "against";

export interface Contestant {
  readonly name: ContestantName;
  readonly path: string;
}

/** How much is measured. */
export interface Sizes {
  readonly rounds: number;
  readonly starts: number;
  readonly signs: number;
  readonly lateSigns: number;
  readonly createDelayMs: number;
  readonly foreignKeys: number;
  readonly overloadSeconds: number;
  readonly idleSeconds: number;
}

export const fullSizes: Sizes = {
  rounds: 5,
  starts: 9,
  signs: 3_000,
  lateSigns: 4_000,
  createDelayMs: 1_000,
  foreignKeys: 500,
  overloadSeconds: 10,
  idleSeconds: 60,
};

export const quickSizes: Sizes = {
  rounds: 3,
  starts: 4,
  signs: 1_000,
  lateSigns: 2_000,
  createDelayMs: 250,
  foreignKeys: 200,
  overloadSeconds: 4,
  idleSeconds: 15,
};

export interface Bench {
  readonly driver: Driver;
  readonly kms: Kms;
  readonly contestants: readonly Contestant[];
  readonly sizes: Sizes;
  /** Takes one round's value of one contestant. */
  record(row: RowName, contestant: ContestantName, value: number): void;
}

export const keys = [
  { id: "x509-CA-A", spec: "ECC_NIST_P256" },
  { id: "x509-CA-B", spec: "ECC_NIST_P384" },
  { id: "JWT-Signer-A", spec: "RSA_2048" },
  { id: "JWT-Signer-B", spec: "RSA_4096" },
] as const;

export const p256Key = keys[0].id;

export const aliasOf = (id: string): string => `alias/SPIRE_SERVER/example_org/server/${id}`;

const region = 'region = "us-east-2"\nkey_identifier_value = "server"\n';

/** The peer knows no other settings. */
export function settingsFor({ name }: Contestant, ours = 'scan_start_delay = "24h"\n'): string {
  return name === "go" ? region : region + ours;
}

/** Nothing of this machine but what a program needs to be found, and the endpoint. */
export function environmentFor({ kms }: Bench, ...more: readonly string[]): readonly string[] {
  return [
    `PATH=${process.env.PATH ?? ""}`,
    "HOME=/nonexistent",
    `AWS_ENDPOINT_URL=${kms.endpoint}`,
    "AWS_ACCESS_KEY_ID=AKIABENCH",
    "AWS_SECRET_ACCESS_KEY=bench",
    "AWS_EC2_METADATA_DISABLED=true",
    ...more,
  ];
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The four keys anew, and a KMS that answers at once. */
export async function resetKms({ kms }: Bench): Promise<void> {
  await kms.behave({ aliases: keys.map(({ id, spec }) => ({ name: aliasOf(id), spec })) });
}

/** Code and tables are warm, also those that are built when there is nothing else to do. */
export async function warmUp({ driver, sizes }: Bench, plugin: string, run: { keyId: string; hash?: "SHA384" }) {
  await driver.sign(plugin, { ...run, calls: 300, callers: 4 });
  await pause(500);
  await driver.sign(plugin, { ...run, calls: sizes.signs, callers: 64 });
}

export interface Rounds {
  /** Settings of ours beside those that every plugin gets. */
  readonly settings?: string;
  readonly rounds: number;
  /** Once for each plugin, before all rounds. */
  prepare(contestant: Contestant, pid: number): Promise<void>;
  measure(contestant: Contestant, pid: number): Promise<void>;
}

/** Starts a plugin of each contestant and measures them in turn, round by round: A B A B. */
export async function inTurn(bench: Bench, { settings, rounds, prepare, measure }: Rounds): Promise<void> {
  const { driver, contestants } = bench;
  await resetKms(bench);
  const pids = new Map<Contestant, number>();
  try {
    for (const contestant of contestants) {
      const { pid } = await driver.start(contestant.name, contestant.path, environmentFor(bench));
      pids.set(contestant, pid);
      await driver.configure(contestant.name, settingsFor(contestant, settings));
      await prepare(contestant, pid);
    }
    for (let round = 0; round < rounds; round++) {
      for (const [contestant, pid] of pids) await measure(contestant, pid);
    }
  } finally {
    for (const { name } of pids.keys()) await driver.kill(name);
  }
}
