/** One run of `spire-aws-kms prune`: the first look, the question, the wait, the second look. */

import type { DeletionRequest } from "../../key-manager/deletions.ts";
import { explain, permissionOf } from "../../key-manager/errors.ts";
import { formatDuration, parseDuration } from "../../key-manager/pace/duration.ts";
import {
  findPrunable,
  type Prunable,
  type PruneNowOptions,
  type PruneResult,
  pruneFound,
} from "../../key-manager/upkeep/prune-now.ts";
import { createClients } from "../aws-clients.ts";
import { CallCounter } from "../call-counter.ts";
import { type AwsKmsConfiguration, readConfiguration } from "../configuration/configuration.ts";
import type { ConfigurationFlags } from "../configuration/flags.ts";
import { confirm } from "../output/confirm.ts";
import { type ExitCode, exitCodes } from "../output/exit-codes.ts";
import { jsonText } from "../output/json-document.ts";
import { type CommandContext, type CommandOutputFlags, UsageError } from "../output/run-command.ts";
import { printable } from "../output/terminal.ts";
import { systemClock } from "../system-clock.ts";

export interface PruneFlags extends ConfigurationFlags, CommandOutputFlags {
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly confirmDelay?: string;
}

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

function confirmDelayOf({ confirmDelay }: PruneFlags, configured: number): number {
  if (confirmDelay === undefined) return configured;
  const delayMs = parseDuration(confirmDelay);
  if (delayMs === undefined)
    throw new UsageError(`--confirm-delay: ${JSON.stringify(confirmDelay)} is no duration, like 15m`);
  return delayMs;
}

async function configurationOf(flags: PruneFlags, { env }: CommandContext): Promise<AwsKmsConfiguration> {
  const configuration = await readConfiguration(flags, env);
  if (configuration.plugin === "aws_kms") return configuration;
  throw new UsageError(
    "the kms plugin has no rules to prune by: its keys are not refreshed, so none can be told to be stale",
  );
}

class PruneRun {
  readonly #flags: PruneFlags;
  readonly #context: CommandContext;
  readonly #configuration: AwsKmsConfiguration;

  constructor(flags: PruneFlags, configuration: AwsKmsConfiguration, context: CommandContext) {
    this.#flags = flags;
    this.#configuration = configuration;
    this.#context = context;
  }

  async run(options: PruneNowOptions): Promise<ExitCode> {
    const { terminal, signal } = this.#context;
    const { json, yes, dryRun } = this.#flags;
    const delayMs = confirmDelayOf(this.#flags, options.upkeep.pruneConfirmDelayMs);
    terminal.status("looking for stale keys …");
    const found = await findPrunable(options);
    terminal.endStatus();
    this.#tellFound(found, json === true);
    const isDry = dryRun || options.upkeep.pruneDryRun;
    if (!dryRun && options.upkeep.pruneDryRun) terminal.hint("prune_dry_run is set: nothing is scheduled for deletion");
    if (isDry || found.requests.length === 0) return this.#finish(found, [], isDry === true);
    const what = plural(found.requests.length, "key");
    await confirm(
      `Schedule ${what} for deletion, with a waiting period of ${options.config.pendingWindowInDays} days, after a second look in ${formatDuration(delayMs)}?`,
      { yes, signal },
    );
    await this.#wait(delayMs);
    const results: PruneResult[] = [];
    for await (const result of pruneFound(found.requests, options)) {
      results.push(result);
      if (!json) this.#tellResult(result);
    }
    return this.#finish(found, results, false);
  }

  #tellFound({ requests, deferred, spared, doubts, failed }: Prunable, json: boolean): void {
    const { terminal } = this.#context;
    for (const { scan, consequence, error } of failed) {
      const missing =
        error.code === "ACCESS_DENIED" ? `${permissionOf(error)} is missing` : `${error.operation} failed`;
      terminal.warn(printable(`${missing}: the scan "${scan}" is left out, so ${consequence}; ${explain(error)}`));
    }
    for (const doubt of new Set(doubts)) terminal.warn(`nothing is pruned: ages cannot be told: ${doubt}`);
    if (deferred > 0)
      terminal.warn(`${plural(deferred, "more key")} beyond max_deletions_per_scan: run it again afterwards`);
    if (this.#flags.verbose)
      for (const fields of spared) terminal.note(printable(`left alone: ${JSON.stringify(fields)}`));
    if (json) return;
    for (const { keyArn, aliasName, rule, details } of requests) {
      terminal.print(
        printable(
          `${rule}  ${String(details?.age ?? "")}  ${keyArn}${aliasName === undefined ? "" : `  ${aliasName}`}`,
        ),
      );
    }
    const left = spared.length === 0 ? "" : `; ${spared.length} looked at and left alone`;
    terminal.print(`${plural(requests.length, "key")} to be scheduled for deletion${left}`);
  }

  async #wait(delayMs: number): Promise<void> {
    const { terminal, signal } = this.#context;
    const until = systemClock.elapsedMs() + delayMs;
    for (let left = delayMs; left > 0; left = until - systemClock.elapsedMs()) {
      terminal.status(
        `the second look comes in ${formatDuration(Math.ceil(left / 1000) * 1000)}; Ctrl-C ends it, and nothing is changed`,
      );
      await systemClock.sleep(Math.min(left, 1_000), signal);
    }
    terminal.endStatus();
  }

  #tellResult({ request, outcome, deletionDate, reason }: PruneResult): void {
    const { terminal } = this.#context;
    const { keyArn } = request;
    if (outcome === "scheduled") {
      const until = deletionDate === undefined ? "" : `, deleted at ${deletionDate.toISOString()}`;
      terminal.print(`${terminal.paint("green", "scheduled")}  ${keyArn}${until}`);
    } else {
      const word = outcome === "spared" || outcome === "in use" ? "stays" : outcome;
      terminal.print(
        `${terminal.paint("yellow", word)}  ${keyArn}${reason === undefined ? "" : `: ${printable(reason)}`}`,
      );
    }
  }

  #finish(found: Prunable, results: readonly PruneResult[], isDry: boolean): ExitCode {
    const { terminal } = this.#context;
    const failures = results.filter(({ outcome }) => outcome === "not done" || outcome === "refused");
    const scheduled = results.filter(({ outcome }) => outcome === "scheduled");
    if (this.#flags.json) this.#printJson(found, results, isDry);
    else if (isDry) terminal.print("nothing was changed");
    else if (results.length > 0) {
      terminal.print(
        `${plural(scheduled.length, "key")} scheduled for deletion; spire-aws-kms cancel-deletion KEY brings one back`,
      );
    }
    if (failures.length > 0)
      return failures.every(({ reason }) => /AccessDenied/.test(reason ?? ""))
        ? exitCodes.incomplete
        : exitCodes.failed;
    if (found.doubts.length > 0) return exitCodes.refused;
    return found.failed.length > 0 ? exitCodes.incomplete : exitCodes.done;
  }

  #printJson(
    { requests, deferred, spared, doubts, failed }: Prunable,
    results: readonly PruneResult[],
    isDry: boolean,
  ): void {
    const resultOf = new Map(results.map((result) => [result.request, result]));
    const keyJson = (request: DeletionRequest) => {
      const { keyArn, aliasName, rule, details } = request;
      const result = resultOf.get(request);
      return {
        key_arn: keyArn,
        alias: aliasName,
        rule,
        age: details?.age,
        outcome: result?.outcome,
        deletion_date: result?.deletionDate?.toISOString(),
        reason: result?.reason,
      };
    };
    const document = {
      format: "spire-aws-kms/prune",
      version: 1,
      trust_domain: this.#configuration.trustDomain,
      server_id: this.#configuration.serverId,
      region: this.#configuration.config.region,
      dry_run: isDry,
      keys: requests.map(keyJson),
      deferred,
      spared,
      doubts,
      troubles: failed.map(({ scan, consequence, error }) => ({
        scan,
        permission: permissionOf(error),
        operation: error.operation,
        message: error.message,
        consequence,
      })),
    } as const;
    this.#context.terminal.print(jsonText(document));
  }
}

export async function runPrune(flags: PruneFlags, context: CommandContext): Promise<ExitCode> {
  const configuration = await configurationOf(flags, context);
  for (const warning of configuration.warnings) context.terminal.warn(printable(warning));
  const { config, names, serverId, trustDomain } = configuration;
  if (config.upkeep === undefined) throw new UsageError("the configuration has no rules to prune by");
  const calls = new CallCounter();
  const clients = createClients(config, { telemetry: calls.telemetry });
  try {
    return await new PruneRun(flags, configuration, context).run({
      config,
      upkeep: config.upkeep,
      ...clients,
      clock: systemClock,
      names,
      identity: config.tagBasedKeyDiscovery ? { trustDomain, serverId: serverId ?? "" } : undefined,
      signal: context.signal,
    });
  } finally {
    clients.close();
    if (flags.verbose) context.terminal.note(calls.text);
  }
}
