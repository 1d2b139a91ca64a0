/** One run of `spire-aws-kms cancel-deletion`: the plan, the question, the steps. */
import { KeyManagerError } from "../../key-manager/errors.ts";
import {
  type KnownKey,
  lookForRescue,
  type Rescue,
  type RescueContext,
  takeRescueSteps,
} from "../../key-manager/rescue/rescue.ts";
import type { RescueStep, WantedAlias } from "../../key-manager/rescue/rescue-plan.ts";
import { readSpireTags } from "../../key-manager/tags/spire-tags.ts";
import { awsKmsNames, trustDomainSegment } from "../../plugin/aws-kms/names.ts";
import { createClients } from "../aws-clients.ts";
import { CallCounter } from "../call-counter.ts";
import { type CommandConfiguration, readConfiguration } from "../configuration/configuration.ts";
import type { ConfigurationFlags } from "../configuration/flags.ts";
import { confirm } from "../output/confirm.ts";
import { type ExitCode, exitCodes } from "../output/exit-codes.ts";
import { jsonText } from "../output/json-document.ts";
import { type CommandContext, type CommandOutputFlags, UsageError } from "../output/run-command.ts";
import { printable } from "../output/terminal.ts";
import { systemClock } from "../system-clock.ts";

export interface CancelDeletionFlags extends ConfigurationFlags, CommandOutputFlags {
  readonly spireKeyId?: string;
  readonly alias?: string;
  readonly protect?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
}

/** Who named the key so: by its own aliases, by its tags, or by what the operator says. */
function ownerOf(known: KnownKey, flags: CancelDeletionFlags, configuration: CommandConfiguration) {
  const { names, allNames, serverId } = configuration;
  const { key, aliases, tags } = known;
  for (const aliasName of aliases) {
    const owner = allNames.ownerOf(aliasName, key.description);
    if (owner !== undefined && flags.spireKeyId === undefined) return { ...owner, aliasName };
  }
  const tagged = readSpireTags({ keyArn: key.arn, tags });
  const spireKeyId = flags.spireKeyId ?? tagged?.keyId ?? keyIdInDescription(key.description, configuration);
  if (spireKeyId === undefined) return undefined;
  if (configuration.plugin === "kms") return { serverId: "", keyId: spireKeyId, aliasName: names.aliasFor(spireKeyId) };
  const server = (flags.spireKeyId === undefined ? tagged?.serverId : serverId) ?? serverId ?? tagged?.serverId;
  if (server === undefined) {
    if (flags.spireKeyId === undefined) return undefined;
    throw new UsageError("--server-id: it is needed to tell the alias of this SPIRE key id");
  }
  const aliasName = awsKmsNames(configuration.trustDomain, server).aliasFor(spireKeyId);
  return { serverId: server, keyId: spireKeyId, aliasName };
}

/** The older plugin and SPIRE's built-in one write the id into the description. */
function keyIdInDescription(description: string, configuration: CommandConfiguration): string | undefined {
  const prefix =
    configuration.plugin === "kms"
      ? configuration.config.keyPrefix
      : `SPIRE_SERVER_KEY/${trustDomainSegment(configuration.trustDomain)}/`;
  return description.startsWith(prefix) ? description.slice(prefix.length) || undefined : undefined;
}

function wantedAlias(known: KnownKey, flags: CancelDeletionFlags, configuration: CommandConfiguration): WantedAlias {
  const { trustDomain, allNames } = configuration;
  const protection = (aliasName: string): WantedAlias => ({
    aliasName,
    purpose: "protection",
    identity: undefined,
    spireKeyId: undefined,
  });
  if (flags.alias !== undefined) {
    const owner = allNames.ownerOf(flags.alias, known.key.description);
    if (owner === undefined) return protection(flags.alias);
    return {
      aliasName: flags.alias,
      purpose: "server",
      identity: identityOf(owner.serverId, trustDomain),
      spireKeyId: owner.keyId,
    };
  }
  const owner = flags.protect ? undefined : ownerOf(known, flags, configuration);
  if (owner === undefined) return protection(`alias/rescued-${known.key.keyId}`);
  return {
    aliasName: owner.aliasName,
    purpose: "server",
    identity: identityOf(owner.serverId, trustDomain),
    spireKeyId: owner.keyId,
  };
}

const identityOf = (serverId: string, trustDomain: string | undefined) =>
  trustDomain === undefined ? undefined : { trustDomain, serverId };

function stepText(step: RescueStep, isDone: boolean): string {
  switch (step.kind) {
    case "cancel deletion":
      return isDone ? "its deletion is cancelled" : "cancel its deletion";
    case "create alias":
      return isDone ? `alias ${step.aliasName} is made` : `make alias ${step.aliasName}`;
    case "move alias":
      return isDone
        ? `alias ${step.aliasName} is moved to it`
        : `move alias ${step.aliasName} to it, from the unusable key ${step.movedFrom}`;
    case "tag":
      return isDone ? "its tags say that it is in use" : "tag it as in use";
    case "enable":
      return isDone ? "it is enabled" : "enable it";
  }
}

function hintFor({ facts }: Rescue): string {
  const { wanted, aliases } = facts;
  if (wanted.purpose === "server") return "restart the SPIRE Server: it looks for its keys when it is configured";
  const known = aliases.includes(wanted.aliasName) ? "" : " (nothing tells which SPIRE key id it had)";
  return `no server finds it by alias ${wanted.aliasName}, and no scan takes it${known}; --spire-key-id x509-CA-A puts it under that id`;
}

class CancelDeletionRun {
  readonly #flags: CancelDeletionFlags;
  readonly #context: CommandContext;

  constructor(flags: CancelDeletionFlags, context: CommandContext) {
    this.#flags = flags;
    this.#context = context;
  }

  async run(keyName: string, rescue: RescueContext): Promise<ExitCode> {
    const { terminal, signal } = this.#context;
    const { json, yes, dryRun } = this.#flags;
    const found = await lookForRescue(keyName, rescue);
    const { steps, refusals, facts } = found;
    if (refusals.length > 0) throw new KeyManagerError("FAILED_PRECONDITION", refusals.join("; "));
    const taken: RescueStep[] = [];
    if (!json) {
      const until =
        facts.key.deletionDate === undefined ? "" : `, to be deleted at ${facts.key.deletionDate.toISOString()}`;
      terminal.print(printable(`key ${facts.key.arn}: ${facts.key.keyState}${until}`));
      if (steps.length === 0) terminal.print("it is enabled and has its alias: nothing is to be done");
      else for (const step of steps) terminal.print(printable(`  ${stepText(step, false)}`));
    }
    if (steps.length > 0 && !dryRun) {
      await confirm("Take these steps?", { yes, signal });
      await takeRescueSteps(found, rescue, (step) => {
        taken.push(step);
        if (!json) terminal.print(`${terminal.paint("green", "done")}  ${printable(stepText(step, true))}`);
      });
    }
    if (json) this.#printJson(found, taken);
    else if (dryRun) terminal.print("nothing was changed");
    if (!json && steps.length > 0 && !dryRun) terminal.hint(printable(hintFor(found)));
    return exitCodes.done;
  }

  #printJson({ facts, steps }: Rescue, taken: readonly RescueStep[]): void {
    const { key, wanted } = facts;
    this.#context.terminal.print(
      jsonText({
        format: "spire-aws-kms/cancel-deletion",
        version: 1,
        key_arn: key.arn,
        key_state: key.keyState,
        deletion_date: key.deletionDate?.toISOString(),
        alias: wanted.aliasName,
        alias_purpose: wanted.purpose,
        spire_key_id: wanted.spireKeyId,
        server_id: wanted.identity?.serverId,
        dry_run: this.#flags.dryRun === true,
        steps: steps.map((step) => ({ ...step, done: taken.includes(step) })),
      }),
    );
  }
}

/** @param keyName key id, key ARN or alias */
export async function runCancelDeletion(
  keyName: string,
  flags: CancelDeletionFlags,
  context: CommandContext,
): Promise<ExitCode> {
  if (flags.alias !== undefined && !/^alias\/(?!aws\/)[A-Za-z0-9/_-]{1,250}$/.test(flags.alias)) {
    throw new UsageError(
      `--alias: ${JSON.stringify(flags.alias)} is no alias name; write alias/ and letters, digits, /, _ or -`,
    );
  }
  const configuration = await readConfiguration(flags, context.env);
  const calls = new CallCounter();
  const clients = createClients(configuration.config, { telemetry: calls.telemetry });
  try {
    return await new CancelDeletionRun(flags, context).run(keyName, {
      ...clients,
      names: configuration.allNames,
      clock: systemClock,
      isTagMode: configuration.config.tagBasedKeyDiscovery,
      wantedFor: (known) => wantedAlias(known, flags, configuration),
    });
  } finally {
    clients.close();
    if (flags.verbose) context.terminal.note(calls.text);
  }
}
