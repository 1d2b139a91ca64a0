/** `spire-aws-kms emulator`: the AWS KMS emulator as a server of its own, until a signal ends it. */
import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import {
  type Emulator,
  EmulatorError,
  type EmulatorOptions,
  type JsonOptions,
  readJsonOptions,
  startEmulator,
} from "../../kms-emulator/index.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

interface Flags {
  readonly listen: Address;
  readonly data?: string;
  readonly fsync?: boolean;
  readonly region?: string;
  readonly account?: string;
  readonly control?: Address;
  readonly seedFile?: string;
  readonly tls?: boolean;
  readonly tlsName?: readonly string[];
  readonly tlsFolder?: string;
  readonly config?: string;
  readonly reuseRsaKeys?: number;
  readonly awsAliases: boolean;
}

/** `HOST:PORT`, `[V6]:PORT`, `:PORT` or `PORT`. */
export function parseAddress(text: string): Address {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]*)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (!match || port > 65_535) throw new InvalidArgumentError("expected HOST:PORT, for example 127.0.0.1:4566");
  return { host: match[1] ?? (match[2] || "127.0.0.1"), port };
}

function parseCount(text: string): number {
  if (!/^\d{1,4}$/.test(text)) throw new InvalidArgumentError("expected a whole number");
  return Number(text);
}

const collect = (name: string, names: readonly string[] = []): readonly string[] => [...names, name];

/** Options that have no flag of their own: identities, roles, quotas … as JSON. */
function readConfig(path: string | undefined): JsonOptions {
  if (path === undefined) return {};
  try {
    return readJsonOptions(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new EmulatorError("INVALID_OPTION", `cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

function optionsOf(flags: Flags): EmulatorOptions {
  const config = readConfig(flags.config);
  const hasControl = flags.control !== undefined || config.control !== undefined;
  return {
    awsManagedAliases: flags.awsAliases,
    ...config,
    // Without the control plane there is no way to read it.
    ...(hasControl ? {} : { journalLimit: 0 }),
    ...flags.listen,
    tls: tlsOf(flags, config),
    ...(flags.data === undefined ? {} : { dataFile: flags.data }),
    ...(flags.seedFile === undefined ? {} : { seedFile: flags.seedFile }),
    ...(flags.fsync ? { fsync: true } : {}),
    ...(flags.region === undefined ? {} : { region: flags.region }),
    ...(flags.account === undefined ? {} : { account: flags.account }),
    ...(flags.control === undefined ? {} : { control: flags.control }),
    ...(flags.reuseRsaKeys === undefined ? {} : { reuseRsaKeys: flags.reuseRsaKeys }),
  };
}

/** Any flag of TLS switches it on. What the file says is added to. */
function tlsOf(flags: Flags, config: JsonOptions): NonNullable<EmulatorOptions["tls"]> {
  const { tls, tlsName = [], tlsFolder } = flags;
  if (tls === undefined && tlsName.length === 0 && tlsFolder === undefined) return config.tls ?? false;
  const given = typeof config.tls === "object" ? config.tls : {};
  const names = [...(given.names ?? []), ...tlsName];
  return { ...given, names, ...(tlsFolder === undefined ? {} : { folder: tlsFolder }) };
}

/** Resolves at the first SIGTERM or SIGINT. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => resolve());
  });
}

async function run(flags: Flags, command: Command): Promise<void> {
  const stopped = stopSignal();
  let emulator: Emulator;
  try {
    emulator = await startEmulator(optionsOf(flags));
  } catch (error) {
    if (!(error instanceof EmulatorError)) throw error;
    command.error(`error: ${error.message}`, { exitCode: 1, code: error.code });
  }
  const { endpoint, tls } = emulator;
  process.stdout.write(`${JSON.stringify({ endpoint, ...(tls === undefined ? {} : { ca: tls.caFile }) })}\n`);
  if (tls !== undefined) process.stderr.write(`clients trust it with AWS_CA_BUNDLE=${tls.caFile}\n`);
  if (emulator.controlEndpoint !== undefined) {
    process.stdout.write(`${JSON.stringify({ control: emulator.controlEndpoint })}\n`);
  }
  await stopped;
  await emulator.close();
}

const description = `Run an embedded AWS KMS for tests and trials: real cryptography behind the real wire protocol.

The first line on stdout is {"endpoint":"http://HOST:PORT"}; point AWS clients of any language there, e.g. with
AWS_ENDPOINT_URL. It serves KMS, STS, IAM (GetRole) and the Resource Groups Tagging API (GetResources) on one port and runs
until SIGTERM or SIGINT. With --tls that line is {"endpoint":"https://HOST:PORT","ca":"FILE"}: clients must trust FILE, e.g. with
AWS_CA_BUNDLE.`;

/** \`spire-aws-kms emulator\`. */
export function emulatorCommand(): Command {
  return new Command("emulator")
    .description(description)
    .addOption(
      new Option("--listen <host:port>", "address to serve on; port 0 picks a free one")
        .argParser(parseAddress)
        .default({ host: "127.0.0.1", port: 0 }, "127.0.0.1:0"),
    )
    .option("--data <file>", "keep the state in this file; it survives restarts and kill -9")
    .option("--fsync", "with --data: survive a power cut as well, at the price of speed")
    .option("--region <name>", "Region of calls that show none (default: us-east-1)")
    .option("--account <id>", "account of callers that are not configured (default: 111122223333)")
    .option("--control <host:port>", "serve the control plane: clock, faults, pauses, journal", parseAddress)
    .option(
      "--seed-file <file>",
      "JSON file of keys to begin with: private keys, aliases, tags, ages (docs/kms-emulator.md)",
    )
    .option("--tls", "serve https://, with a certificate by an authority of its own")
    .option("--tls-name <name>", "with --tls: a further name or address of the certificate; may be repeated", collect)
    .option("--tls-folder <folder>", "with --tls: keep the authority in this folder; its certificate is ca.pem there")
    .option("--config <file>", "JSON object with further options: identities, roles, quotas (docs/kms-emulator.md)")
    .option("--reuse-rsa-keys <count>", "share at most this many RSA keys per size; CreateKey becomes fast", parseCount)
    .option("--no-aws-aliases", "leave alias/aws/... out of ListAliases")
    .action(run);
}
