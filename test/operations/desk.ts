/** An operator's desk: the built command line, a folder, and a KMS whose past can be lived through. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import type { Emulator, EmulatorClock, EmulatorOptions } from "../../src/kms-emulator/index.ts";
import { awsKmsNames } from "../../src/plugin/aws-kms/names.ts";
import { startTestEmulator } from "../fixtures/test-emulator.ts";

const cli = fileURLToPath(new URL("../../dist/bin/spire-aws-kms", import.meta.url));

if (!existsSync(cli)) throw new Error(`${cli} is not there; run "npm run build" first`);

export const region = "us-east-2";
export const trustDomain = "example.org";
export const account = "111122223333";
const dayMs = 86_400_000;

/** What every command of an operator may need; each is taken away in turn. */
export const permissions = [
  "kms:ListAliases",
  "kms:ListKeys",
  "kms:DescribeKey",
  "kms:GetPublicKey",
  "kms:GetKeyLastUsage",
  "kms:GetKeyPolicy",
  "kms:ListResourceTags",
  "kms:Sign",
  "kms:CreateKey",
  "kms:CreateAlias",
  "kms:UpdateAlias",
  "kms:DeleteAlias",
  "kms:ScheduleKeyDeletion",
  "kms:CancelKeyDeletion",
  "kms:EnableKey",
  "kms:TagResource",
  "kms:ReplicateKey",
  "kms:UpdatePrimaryRegion",
  "tag:GetResources",
  "iam:GetRole",
] as const;

export type Permission = (typeof permissions)[number];

/** The access key of a role that may do everything but this. */
export const keyWithout = (...missing: readonly Permission[]): string =>
  `AKIA${missing.map((permission) => permission.replace(/\W/g, "").toUpperCase()).join("X") || "MAYDOEVERYTHING"}`;

function identityWithout(...missing: readonly Permission[]) {
  const accessKeyId = keyWithout(...missing);
  const allowed = permissions.filter((permission) => !missing.includes(permission));
  return {
    accessKeyId,
    arn: `arn:aws:sts::${account}:assumed-role/operator/${accessKeyId}`,
    policies: [{ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: allowed, Resource: "*" }] }],
  };
}

/** Starts some days ago; {@link Desk.pass} brings it to the present. */
function pastClock(days: number): EmulatorClock & { readonly behindMs: number } {
  // And a minute: KMS tells the time in whole seconds, and a day that is not quite over counts for none.
  let behindMs = days * dayMs + 60_000;
  return {
    now: () => Date.now() - behindMs,
    advance(ms) {
      behindMs -= ms;
    },
    get behindMs() {
      return behindMs;
    },
  };
}

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly timeoutMs?: number;
  /** Told what stands on stdout so far; what it does is done before the command goes on reading. */
  readonly onStdout?: (text: string) => void;
  /** Ends it by SIGTERM once this stands on stdout. */
  readonly endAt?: RegExp;
}

interface MadeKey {
  readonly KeyMetadata: { readonly KeyId: string; readonly Arn: string };
}

export interface DeskOptions {
  readonly emulator?: EmulatorOptions;
  /** How long ago the story begins. */
  readonly daysAgo?: number;
}

export class Desk {
  readonly #options: DeskOptions;
  #open:
    | { readonly emulator: Emulator; readonly folder: string; readonly clock: ReturnType<typeof pastClock> }
    | undefined;

  constructor(options: DeskOptions = {}) {
    this.#options = options;
  }

  get #state() {
    assert.ok(this.#open, "the desk is not open");
    return this.#open;
  }

  get emulator(): Emulator {
    return this.#state.emulator;
  }

  get folder(): string {
    return this.#state.folder;
  }

  async open(): Promise<void> {
    const clock = pastClock(this.#options.daysAgo ?? 0);
    const identities = [identityWithout(), ...permissions.map((permission) => identityWithout(permission))];
    const emulator = await startTestEmulator({
      region,
      clock,
      identities,
      authorize: true,
      journalLimit: 100_000,
      ...this.#options.emulator,
    });
    this.#open = { emulator, clock, folder: await mkdtemp(join(tmpdir(), "desk-")) };
  }

  async close(): Promise<void> {
    if (this.#open === undefined) return;
    await this.#open.emulator.close();
    await rm(this.#open.folder, { recursive: true, force: true });
    this.#open = undefined;
  }

  /** Lets days pass. */
  pass(days: number): void {
    this.emulator.control.advance(days * dayMs);
  }

  /** Brings KMS to the present. */
  today(): void {
    this.emulator.control.advance(this.#state.clock.behindMs);
  }

  async call<T = unknown>(operation: string, input: object, options?: { readonly region?: string }): Promise<T> {
    return (await this.emulator.control.callByName(operation, input, options)) as T;
  }

  /** A key as `aws_kms` makes it. @returns its key id */
  async key(input: object = {}, options?: { readonly region?: string }): Promise<string> {
    const spec = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY", Description: `SPIRE_SERVER/${trustDomain}` };
    const { KeyMetadata } = await this.call<MadeKey>("CreateKey", { ...spec, ...input }, options);
    return KeyMetadata.KeyId;
  }

  /** The same, with the alias of a server. */
  async serverKey(server: string, keyId: string, input: object = {}, options?: { readonly region?: string }) {
    const made = await this.key(input, options);
    await this.call("CreateAlias", { AliasName: aliasOf(server, keyId), TargetKeyId: made }, options);
    return made;
  }

  async refresh(server: string, keyId: string, target: string): Promise<void> {
    await this.call("UpdateAlias", { AliasName: aliasOf(server, keyId), TargetKeyId: target });
  }

  async write(name: string, text: string, mode?: number): Promise<string> {
    const path = join(this.folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    if (mode !== undefined) await chmod(path, mode);
    return path;
  }

  /** Every file below the folder, to show that nothing was made. */
  async files(): Promise<readonly string[]> {
    return (await readdir(this.folder, { recursive: true })).toSorted();
  }

  #env(env: Readonly<Record<string, string>>): Record<string, string | undefined> {
    return {
      PATH: process.env.PATH,
      HOME: this.folder,
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_ENDPOINT_URL: this.emulator.endpoint,
      AWS_ACCESS_KEY_ID: keyWithout(),
      AWS_SECRET_ACCESS_KEY: "Never/Shown+Secret0Of1The2Desk",
      ...env,
    };
  }

  /** Runs `spire-aws-kms`. */
  async run(
    args: readonly string[],
    { env = {}, cwd = this.folder, timeoutMs = 120_000, onStdout, endAt }: RunOptions = {},
  ): Promise<Run> {
    const child = spawn(cli, args, { cwd, env: this.#env(env), stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].on("data", (data: Buffer) => {
        said[name] += data.toString();
        if (name === "stdout") onStdout?.(said.stdout);
        if (endAt?.test(said.stdout)) child.kill("SIGTERM");
      });
    }
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    assert.doesNotMatch(
      said.stdout + said.stderr,
      /Never\/Shown|^ {4}at .*\(/m,
      "neither a secret nor a stack is told",
    );
    return { code, ...said };
  }

  /** What is in KMS, to show that nothing was changed. */
  state(): string {
    return JSON.stringify(this.emulator.control.dump());
  }

  /** The calls that KMS got from commands, by operation. */
  calls(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { operation, caller } of this.emulator.control.journal()) {
      if (caller.accessKeyId === undefined) continue;
      counts[operation] = (counts[operation] ?? 0) + 1;
    }
    return counts;
  }
}

export const aliasOf = (server: string, keyId: string): string => awsKmsNames(trustDomain, server).aliasFor(keyId);

/** Runs a command at a terminal of its own, where it may ask; undefined where there is no `script` to make one. */
export async function runAtTerminal(desk: Desk, args: readonly string[], answer: string): Promise<Run | undefined> {
  if (!existsSync("/usr/bin/script")) return undefined;
  const quoted = [cli, ...args].map((part) => `'${part}'`).join(" ");
  const child = spawn("/usr/bin/script", ["-qec", quoted, "/dev/null"], {
    cwd: desk.folder,
    env: {
      PATH: process.env.PATH,
      HOME: desk.folder,
      TERM: "xterm",
      AWS_ENDPOINT_URL: desk.emulator.endpoint,
      AWS_ACCESS_KEY_ID: keyWithout(),
      AWS_SECRET_ACCESS_KEY: "Never/Shown+Secret0Of1The2Desk",
    },
    stdio: ["pipe", "pipe", "pipe"],
    timeout: 120_000,
  });
  let stdout = "";
  let isAnswered = false;
  child.stdout.on("data", (data: Buffer) => {
    stdout += data.toString();
    if (isAnswered || !stdout.includes("Type yes")) return;
    isAnswered = true;
    child.stdin.write(`${answer}\n`);
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, stdout, stderr: "" };
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** What differs from run to run, in words: ids by their order, times, days. */
export function settled(text: string, { folder, emulator }: Desk): string {
  const ids = new Map<string, string>();
  return text
    .replaceAll(folder, "FOLDER")
    .replaceAll(emulator.endpoint, "ENDPOINT")
    .replace(/, in \d+ s\b/g, "")
    .replace(/mrk-[0-9a-f]{32}/g, (id) => {
      if (!ids.has(id)) ids.set(id, `mrk-${ids.size + 1}`);
      return ids.get(id) ?? id;
    })
    .replace(uuid, (id) => {
      if (!ids.has(id)) ids.set(id, `KEY-${ids.size + 1}`);
      return ids.get(id) ?? id;
    })
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "TIME")
    .replace(/\d{4}-\d\d-\d\d/g, "DAY");
}

/** A run as a person sees it. */
export function transcript(args: readonly string[], { code, stdout, stderr }: Run, desk: Desk): readonly string[] {
  const text = [`$ spire-aws-kms ${args.join(" ")}`, stdout, stderr].join("\n");
  const lines = settled(text, desk).split("\n");
  return [...lines.map((line) => line.trimEnd()).filter((line) => line !== ""), `exit ${code}`];
}

/** A desk that is open while the tests of the surrounding `describe` run. */
export function useDesk(options: DeskOptions = {}): Desk {
  const desk = new Desk(options);
  before(() => desk.open());
  after(() => desk.close());
  return desk;
}
