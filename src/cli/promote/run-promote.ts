/** One run of `spire-aws-kms promote`: the plan, the question, the promotion, key by key. */
import {
  type PromotionContext,
  type PromotionPlan,
  planPromotion,
  promoteKey,
} from "../../key-manager/regions/promotion.ts";
import { createClients } from "../aws-clients.ts";
import { type AwsKmsConfiguration, ConfigurationError, readConfiguration } from "../configuration/configuration.ts";
import type { ConfigurationFlags } from "../configuration/flags.ts";
import { askAtTerminal } from "../output/confirm.ts";
import { type ExitCode, exitCodes } from "../output/exit-codes.ts";
import { jsonText } from "../output/json-document.ts";
import type { CommandContext, CommandOutputFlags } from "../output/run-command.ts";
import { printable, type Terminal } from "../output/terminal.ts";
import { systemClock } from "../system-clock.ts";

export interface PromoteFlags extends ConfigurationFlags, CommandOutputFlags {
  readonly yes?: boolean;
}

/** What became of the plan. */
type Result = "planned" | "promoted" | "refused" | "nothing to do";

async function configurationOf(flags: PromoteFlags, { env }: CommandContext): Promise<AwsKmsConfiguration> {
  const configuration = await readConfiguration(flags, env);
  if (configuration.plugin === "kms") {
    throw new ConfigurationError(["promote: the kms plugin makes single-Region keys, so there is nothing to promote"]);
  }
  if (configuration.serverId === undefined) {
    throw new ConfigurationError(["--server-id: it is needed, because only one server's keys are promoted at a time"]);
  }
  return configuration;
}

/** With `--json` beside the results: who is asked has to know what about. */
function show(plan: PromotionPlan, region: string, terminal: Terminal, isJson: boolean): void {
  const tell = (text: string) => (isJson ? terminal.note(printable(text)) : terminal.print(printable(text)));
  for (const { keyId, keyArn, primaryRegion } of plan.promote) {
    tell(`${keyId}: the primary goes from ${primaryRegion} to ${region} (${keyArn})`);
  }
  for (const aliasName of plan.primary) tell(`${aliasName}: the primary is in ${region} already`);
  for (const aliasName of plan.singleRegion) tell(`${aliasName}: a single-Region key, nothing to do`);
  for (const warning of plan.warnings) terminal.warn(printable(warning));
  for (const refusal of plan.refusals) terminal.note(printable(`spire-aws-kms promote: ${refusal}`));
}

const documentOf = (plan: PromotionPlan, region: string, result: Result): string =>
  jsonText({
    format: "spire-aws-kms/promote",
    version: 1,
    region,
    result,
    promote: plan.promote.map(({ keyId, aliasName, keyArn, primaryRegion }) => ({
      key_id: keyId,
      alias_name: aliasName,
      key_arn: keyArn,
      primary_region: primaryRegion,
    })),
    primary: plan.primary,
    single_region: plan.singleRegion,
    refusals: plan.refusals,
    warnings: plan.warnings,
  });

/** Only a person who types the Region agrees: the server there and the one in the other Region change places. */
async function isAgreed(region: string, { signal }: CommandContext): Promise<boolean> {
  const question = `Has the server in the other Region ended? Type ${region} to make its keys this Region's: `;
  return (await askAtTerminal(question, signal)) === region;
}

async function promoteAll(plan: PromotionPlan, context: PromotionContext, terminal: Terminal): Promise<void> {
  for (const [index, key] of plan.promote.entries()) {
    terminal.status(`${index + 1} of ${plan.promote.length}: ${key.keyId}`);
    await promoteKey(key, context);
    terminal.note(printable(`promoted ${key.keyId} (${key.keyArn})`));
  }
}

export async function runPromote(flags: PromoteFlags, command: CommandContext): Promise<ExitCode> {
  const { terminal, signal } = command;
  const { config, names } = await configurationOf(flags, command);
  const { region } = config;
  const clients = createClients(config);
  const context: PromotionContext = {
    region,
    kmsIn: (name) => clients.inRegion(name).kms,
    names,
    clock: systemClock,
    signal,
  };
  try {
    const plan = await planPromotion(context);
    const end = (result: Result, exitCode: ExitCode): ExitCode => {
      if (flags.json) terminal.print(documentOf(plan, region, result));
      return exitCode;
    };
    show(plan, region, terminal, flags.json === true);
    // A part of the keys here and a part there is worse than either.
    if (plan.refusals.length > 0) return end("refused", exitCodes.refused);
    if (plan.promote.length === 0) {
      terminal.hint(`no key of this server has its primary in another Region than ${region}`);
      return end("nothing to do", exitCodes.done);
    }
    if (!flags.yes && !(await isAgreed(region, command))) {
      terminal.hint("nothing was changed; stop the server in the other Region, then run the same command with --yes");
      return end("planned", exitCodes.refused);
    }
    await promoteAll(plan, context, terminal);
    return end("promoted", exitCodes.done);
  } finally {
    clients.close();
  }
}
