/** All checks of `doctor`, one after another; what cannot be reached ends only the checks that need it. */
import { explain, permissionOf } from "../../key-manager/errors.ts";
import { type CallerIdentity, isKmsError, type Logger } from "../../key-manager/ports.ts";
import { assumedRoleOf } from "../../plugin/aws-kms/role-arns.ts";
import { type CommandClients, createClients } from "../aws-clients.ts";
import type { CallCounter } from "../call-counter.ts";
import {
  type CommandConfiguration,
  ConfigurationError,
  readConfiguration,
  readKeyManagerBlock,
} from "../configuration/configuration.ts";
import type { ConfigurationFlags } from "../configuration/flags.ts";
import { inventoryOf, membersOf } from "../keys/inventory-of.ts";
import { checkClock, checkIdentity, checkKms } from "./aws-checks.ts";
import { checkConfFile, checkPluginFile, checkSettingFiles } from "./file-checks.ts";
import { type Finding, Findings } from "./finding.ts";
import { checkHandshake } from "./handshake-check.ts";
import { checkBuiltIn, checkLookAlikes, checkNames, checkQuotas, checkStale } from "./key-checks.ts";
import { checkKeyPolicies } from "./key-policy-checks.ts";
import { checkPermissions } from "./permission-checks.ts";
import { checkRegions } from "./region-checks.ts";
import { Seen } from "./seen.ts";

export interface ExamineFlags extends ConfigurationFlags {
  /** True: the plugin that server.conf names. */
  readonly spireBin?: string | boolean;
}

export interface ExamineContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly calls: CallCounter;
  readonly tell: (finding: Finding) => void;
  readonly onProgress?: (text: string) => void;
  /** An inventory of the configured Region that was just taken; undefined: one is taken. */
  readonly seen?: Seen | undefined;
}

/** Of this form KMS makes none. */
const noKey = "00000000-0000-0000-0000-000000000000";

/** @returns undefined where SPIRE Server would refuse it, which is told */
async function configurationOf(
  flags: ExamineFlags,
  { env, tell }: ExamineContext,
): Promise<CommandConfiguration | undefined> {
  const findings = new Findings("configuration", tell);
  try {
    return await readConfiguration(flags, env);
  } catch (error) {
    // What is wrong with the command's own arguments is no finding about the server.
    if (!(error instanceof ConfigurationError) || error.problems.some((problem) => problem.startsWith("--")))
      throw error;
    for (const problem of error.problems)
      findings.problem(problem, "change it in server.conf; spire-server validate says the same");
    if (flags.config === undefined) return undefined;
    const { config, expandEnv = false } = flags;
    const block = await readKeyManagerBlock({ config, expandEnv }, env).catch(() => undefined);
    await checkPluginFile(block, new Findings("plugin file", tell));
    return undefined;
  }
}

function tellConfiguration(configuration: CommandConfiguration, findings: Findings): void {
  const { file, plugin, trustDomain, config, warnings } = configuration;
  const of = trustDomain === undefined ? "" : ` of trust domain ${trustDomain}`;
  findings.ok(`${file ?? "the flags"}: ${plugin}${of}, keys in ${config.region}`);
  for (const warning of warnings) findings.warning(warning, "change the setting");
  if (file === undefined) {
    findings.unknown(
      "server.conf was not given, so the plugin's file, its checksum, the identifier file and other settings were not looked at",
      "give --config server.conf",
    );
  }
}

/** Permissions that the inventory has tried. */
function checkListing({ troubles }: Seen, { config }: CommandConfiguration, findings: Findings): void {
  const { tagBasedKeyDiscovery: isTagMode, upkeep } = config;
  const denied = new Map(troubles.map((trouble) => [permissionOf(trouble.error), trouble]));
  const tried = [
    {
      permission: "kms:ListAliases",
      fails: !isTagMode,
      without: isTagMode ? "nothing is pruned, and replaced keys stay" : "a start fails",
    },
    ...(isTagMode || upkeep === undefined
      ? []
      : [{ permission: "kms:ListKeys", fails: false, without: "keys without an alias are not pruned" }]),
    ...(isTagMode ? [{ permission: "tag:GetResources", fails: true, without: "a start fails in tag mode" }] : []),
  ];
  for (const { permission, fails, without } of tried) {
    const trouble = denied.get(permission);
    const remedy = `allow ${permission} in the role's IAM policy (spire-aws-kms policy iam prints the whole policy)`;
    if (trouble === undefined) findings.ok(`${permission} is allowed (used just now)`, { permission });
    else if (fails)
      findings.problem(`${permission} is missing: ${without}; ${trouble.error.message}`, remedy, { permission });
    else findings.warning(`${permission} is missing: ${without}; ${trouble.error.message}`, remedy, { permission });
  }
}

/** The role's path, which the default key policy must name. */
async function checkOwnRole(
  configuration: CommandConfiguration,
  { iam }: CommandClients,
  caller: CallerIdentity | undefined,
  findings: Findings,
): Promise<void> {
  if (configuration.plugin === "kms" || caller === undefined) return;
  const { keyPolicyFile, assumeRole } = configuration.config;
  const role = assumedRoleOf(caller.arn);
  const permission = "iam:GetRole";
  if (keyPolicyFile !== undefined || assumeRole !== undefined) return;
  if (role === undefined) {
    findings.warning(
      `${caller.arn} is no assumed role, so new keys get AWS KMS's default key policy`,
      "give the server a role, or set key_policy_file",
    );
    return;
  }
  try {
    const arn = await iam.getRoleArn(role);
    if (arn === undefined)
      findings.unknown(
        `there is no IAM to ask for the path of role ${role.roleName}; without one nothing is amiss`,
        "if it has a path, set key_policy_file",
        { permission },
      );
    else findings.ok(`the role is ${arn}`, { permission });
  } catch (error) {
    if (!isKmsError(error)) throw error;
    findings.unknown(
      `whether role ${role.roleName} has a path cannot be told: ${explain(error)}`,
      "for a role with a path allow iam:GetRole on it, or set key_policy_file; for others nothing is amiss",
      { permission },
    );
  }
}

async function checkAws(configuration: CommandConfiguration, context: ExamineContext): Promise<void> {
  const { tell, signal, calls, onProgress = () => undefined } = context;
  const group = (name: string) => new Findings(name, tell);
  let source: string | undefined;
  const note = (_message: string, fields?: object) => {
    const told = fields && "source" in fields ? fields.source : undefined;
    if (typeof told === "string") source = told;
  };
  const log: Logger = { debug: note, info: note, warn: note, error: note };
  const clients = createClients(configuration.config, { telemetry: calls.telemetry, log });
  try {
    const caller = await checkIdentity(configuration, clients, () => source, group("credentials"));
    if (!(await checkKms(configuration, clients, noKey, group("AWS KMS")))) {
      group("keys").unknown(
        "permissions and keys cannot be looked at while KMS does not answer",
        "first what is told above",
      );
      return;
    }
    const members = membersOf(configuration, clients);
    const seen =
      context.seen ?? (await Seen.taking(inventoryOf(configuration, clients, { members, signal }), onProgress));
    checkClock(seen.serverTime, group("clock"));
    const own = [...seen.rows.values()].filter(({ isOwnServer }) => isOwnServer);
    const permissions = group("permissions");
    checkListing(seen, configuration, permissions);
    const ownKey = own.find((row) => row.class === "in use" || row.class === "stale");
    await checkPermissions({ configuration, clients, ownKey, noKey, findings: permissions });
    await checkRegions({ configuration, clients, calls, own, noKey, group });
    await checkOwnRole(configuration, clients, caller, permissions);
    await checkKeyPolicies(
      configuration,
      clients,
      own.filter((row) => row.class === "in use"),
      group("key policy"),
    );
    checkSeen(seen, configuration, group);
  } finally {
    clients.close();
  }
}

function checkSeen(taken: Seen, configuration: CommandConfiguration, group: (name: string) => Findings): void {
  const { rows, summary, aliasNames } = taken;
  if (summary === undefined) return;
  const seen = { rows: [...rows.values()], summary, aliasNames };
  checkStale(seen, configuration, group("keys"));
  checkQuotas(seen, configuration, group("quotas"));
  if (configuration.plugin === "kms") return;
  checkLookAlikes(seen, configuration, group("trust domains"));
  checkBuiltIn(seen, configuration, group("built-in plugin"));
}

/**
 * Examines what SPIRE Server would meet. Changes nothing.
 *
 * @throws ConfigurationError for arguments that do not go together
 */
export async function examine(flags: ExamineFlags, context: ExamineContext): Promise<void> {
  const configuration = await configurationOf(flags, context);
  if (configuration !== undefined) await examineConfiguration(configuration, flags, context);
}

/** The same for a configuration that was read already. */
export async function examineConfiguration(
  configuration: CommandConfiguration,
  flags: ExamineFlags,
  context: ExamineContext,
): Promise<void> {
  const { tell } = context;
  tellConfiguration(configuration, new Findings("configuration", tell));
  await checkPluginFile(configuration.block, new Findings("plugin file", tell));
  const files = new Findings("files", tell);
  checkConfFile(configuration, files);
  await checkSettingFiles(configuration, files);
  checkNames(configuration, new Findings("names", tell));
  if (flags.spireBin !== undefined && flags.spireBin !== false) {
    await checkHandshake(
      {
        path: typeof flags.spireBin === "string" ? flags.spireBin : undefined,
        block: configuration.block,
        trustDomain: configuration.trustDomain,
        confFile: configuration.file,
        expandEnv: flags.expandEnv === true,
      },
      new Findings("handshake", tell),
    );
  }
  try {
    await checkAws(configuration, context);
  } catch (error) {
    if (!isKmsError(error) || context.signal.aborted) throw error;
    new Findings("keys", tell).unknown(
      `the rest cannot be looked at: ${explain(error)}`,
      "first what this says, then run it again",
    );
  }
}

/** What the keys alone tell, without server.conf and without a call. */
export function examineKeys(configuration: CommandConfiguration, seen: Seen, tell: (finding: Finding) => void): void {
  const group = (name: string) => new Findings(name, tell);
  checkClock(seen.serverTime, group("clock"));
  checkSeen(seen, configuration, group);
}
