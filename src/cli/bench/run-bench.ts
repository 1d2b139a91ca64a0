/** One run of `spire-aws-kms bench`: which key, what it costs, whether it is wanted, what came out. */

import { explain } from "../../key-manager/errors.ts";
import type { KeyRow } from "../../key-manager/inventory/key-row.ts";
import { takeInventory } from "../../key-manager/inventory/take-inventory.ts";
import type { KeyMetadata, KmsError } from "../../key-manager/ports.ts";
import { createClients } from "../aws-clients.ts";
import { CallCounter } from "../call-counter.ts";
import { readConfiguration } from "../configuration/configuration.ts";
import type { ConfigurationFlags } from "../configuration/flags.ts";
import { inventoryOf } from "../keys/inventory-of.ts";
import { askAtTerminal } from "../output/confirm.ts";
import { type ExitCode, exitCodes } from "../output/exit-codes.ts";
import { jsonText } from "../output/json-document.ts";
import { type CommandContext, type CommandOutputFlags, UsageError } from "../output/run-command.ts";
import { printable, progressBar } from "../output/terminal.ts";
import { systemClock } from "../system-clock.ts";
import { algorithmOf, type Measured, measure } from "./measure.ts";
import { msText, percentilesOf, plotOf } from "./plot.ts";
import { priceText, priceUsd } from "./price.ts";

export interface BenchFlags extends ConfigurationFlags, CommandOutputFlags {
  readonly key?: string;
  readonly count: number;
  readonly concurrency: number;
  readonly yes?: boolean;
}

type Clients = ReturnType<typeof createClients>;

/** What is measured; as much of a key as that takes. */
interface Subject extends Pick<KeyMetadata, "arn" | "keySpec"> {
  readonly name: string;
}

const nameOf = ({ serverId, spireKeyId, keyId }: KeyRow): string =>
  spireKeyId === undefined ? keyId : `${spireKeyId} of ${serverId}`;

/** A key of this server's, else of any: one in use that SPIRE would sign with. */
async function keyInUse(options: Parameters<typeof takeInventory>[0]): Promise<Subject> {
  let found: KeyRow | undefined;
  let missing: KmsError | undefined;
  for await (const event of takeInventory({ ...options, nameless: "none" })) {
    if (event.kind === "trouble") missing ??= event.trouble.error;
    if (event.kind !== "row" || event.row.class !== "in use") continue;
    if (found === undefined || (event.row.isOwnServer && !found.isOwnServer)) found = event.row;
    if (found.isOwnServer || options.ownServerId === undefined) break;
  }
  if (found?.arn === undefined || found.keySpec === undefined) {
    if (missing !== undefined) throw missing;
    throw new UsageError("there is no key in use of this trust domain here; name one with --key");
  }
  return { arn: found.arn, keySpec: found.keySpec, name: nameOf(found) };
}

async function subjectOf(
  flags: BenchFlags,
  { kms, tagging }: Clients,
  configuration: Awaited<ReturnType<typeof readConfiguration>>,
  signal: AbortSignal,
): Promise<Subject> {
  if (flags.key === undefined) return keyInUse(inventoryOf(configuration, { kms, tagging }, { signal }));
  const key = await kms.describeKey(flags.key, { signal });
  if (key.keyState !== "Enabled") throw new UsageError(`--key: ${key.arn} is ${key.keyState}, so it cannot sign`);
  return { arn: key.arn, keySpec: key.keySpec, name: flags.key };
}

function print(measured: Measured, { count, concurrency }: BenchFlags, { terminal, env }: CommandContext): void {
  const { latenciesMs, failures, tookMs } = measured;
  const failed = [...failures].map(([code, times]) => `${times} ${code}`).join(", ");
  if (latenciesMs.length > 0) {
    const { p50, p90, p99, max } = percentilesOf(latenciesMs);
    const isPlain = env.TERM === "dumb" || !/UTF-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || "");
    terminal.print(plotOf(latenciesMs, { columns: terminal.columns ?? 80, isPlain }));
    const rate = (latenciesMs.length / Math.max(tookMs, 1)) * 1000;
    terminal.print(
      `p50 ${msText(p50)}, p90 ${msText(p90)}, p99 ${msText(p99)}, slowest ${msText(max)}; ${rate.toFixed(1)} signatures a second with ${concurrency} at a time`,
    );
  }
  if (failed !== "")
    terminal.warn(printable(`of ${count} signatures failed: ${failed}; ${explain(measured.firstFailure)}`));
}

function document(measured: Measured, subject: Subject, flags: BenchFlags, region: string): string {
  const { latenciesMs, failures, tookMs } = measured;
  return jsonText({
    format: "spire-aws-kms/bench",
    version: 1,
    region,
    key_arn: subject.arn,
    key_spec: subject.keySpec,
    algorithm: algorithmOf(subject.keySpec),
    count: flags.count,
    concurrency: flags.concurrency,
    signed: latenciesMs.length,
    failures: Object.fromEntries(failures),
    took_ms: tookMs,
    latency_ms: latenciesMs.length === 0 ? undefined : percentilesOf(latenciesMs),
    price_usd: priceUsd(subject.keySpec, flags.count),
  });
}

/** @returns undefined: go on */
async function agreed(flags: BenchFlags, subject: Subject, context: CommandContext): Promise<ExitCode | undefined> {
  const { terminal, signal } = context;
  const { count, concurrency } = flags;
  const price = priceText(priceUsd(subject.keySpec, count));
  terminal.note(
    printable(
      `${count} signatures of ${subject.name} (${subject.keySpec}), ${concurrency} at a time. At list price that costs ${price}, and it counts toward the account's quota. What is signed is random and means nothing; it is not kept.`,
    ),
  );
  if (flags.yes) return undefined;
  const answer = await askAtTerminal("Go on? [y/N] ", signal);
  if (answer === "y" || answer === "yes") return undefined;
  terminal.note(
    answer === undefined ? "spire-aws-kms bench: no one is here to be asked; --yes agrees" : "Nothing was done.",
  );
  return exitCodes.refused;
}

export async function runBench(flags: BenchFlags, context: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = context;
  const configuration = await readConfiguration(flags, context.env);
  for (const warning of configuration.warnings) terminal.warn(printable(warning));
  const calls = new CallCounter();
  // Each signature is asked for once: a second request would hide what is measured.
  const clients = createClients({ ...configuration.config, hedgeSignatures: false }, { telemetry: calls.telemetry });
  try {
    const subject = await subjectOf(flags, clients, configuration, signal);
    if (algorithmOf(subject.keySpec) === undefined) {
      throw new UsageError(`--key: ${subject.arn} is a key of the kind ${subject.keySpec}, which SPIRE does not have`);
    }
    const refusal = await agreed(flags, subject, context);
    if (refusal !== undefined) return refusal;
    const { count, concurrency } = flags;
    const onProgress = (done: number) => terminal.status(`${progressBar(done, count)} ${done} of ${count}`);
    const { kms } = clients;
    const { arn: keyArn, keySpec } = subject;
    const measured = await measure({
      kms,
      clock: systemClock,
      keyArn,
      keySpec,
      count,
      concurrency,
      signal,
      onProgress,
    });
    terminal.endStatus();
    if (flags.json) terminal.print(document(measured, subject, flags, configuration.config.region));
    if (!flags.json || measured.failures.size > 0) {
      print(flags.json ? { ...measured, latenciesMs: [] } : measured, flags, context);
    }
    if (flags.verbose) terminal.note(calls.text);
    return measured.failures.size > 0 ? exitCodes.failed : exitCodes.done;
  } finally {
    clients.close();
  }
}
