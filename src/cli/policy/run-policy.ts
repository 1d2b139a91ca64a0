/** One run of `spire-aws-kms policy`: whose policy it is, and its text. */
import { explain } from "../../key-manager/errors.ts";
import { isKmsError } from "../../key-manager/ports.ts";
import { assumedRoleOf } from "../../plugin/aws-kms/role-arns.ts";
import { createClients } from "../aws-clients.ts";
import { type CommandConfiguration, readConfiguration } from "../configuration/configuration.ts";
import type { ConfigurationFlags } from "../configuration/flags.ts";
import { type ExitCode, exitCodes } from "../output/exit-codes.ts";
import { jsonText } from "../output/json-document.ts";
import { type CommandContext, type CommandOutputFlags, UsageError } from "../output/run-command.ts";
import { printable } from "../output/terminal.ts";
import { policyDocument, terraformText } from "./policy-text.ts";
import { promotionStatements } from "./region-statements.ts";
import { type Place, partitionOf } from "./statement.ts";
import { iamStatements, keyStatements, type RoleOfServer } from "./statements.ts";

export interface PolicyFlags extends ConfigurationFlags, CommandOutputFlags {
  readonly role?: string;
  readonly account?: string;
  readonly terraform?: boolean;
  /** For who runs promote, instead of the server. */
  readonly promote?: boolean;
}

export type PolicyKind = "iam" | "key";

interface Whose {
  readonly account: string;
  readonly role: RoleOfServer | undefined;
  /** How it was told, for the operator. */
  readonly notes: readonly string[];
  /** What stands for what is not known. */
  readonly hasPlaceholders: boolean;
}

const roleArn = /^arn:[a-z0-9-]+:iam::(\d{12}):(?:role|user)\/[\w+=,.@/-]+$/;
const placeholderAccount = "ACCOUNT_ID";

const roleIn = (arn: string, account: string | undefined): Whose => ({
  account: account ?? roleArn.exec(arn)?.[1] ?? placeholderAccount,
  role: { roleArn: arn, isPathKnown: true },
  notes: [],
  hasPlaceholders: false,
});

/** Who the server is: as told, as configured, or as STS says of these credentials. */
async function whose({ role, account }: PolicyFlags, { config }: CommandConfiguration): Promise<Whose> {
  if (role !== undefined) {
    if (!roleArn.test(role))
      throw new UsageError(
        `--role: ${JSON.stringify(role)} is no ARN of a role, like arn:aws:iam::111122223333:role/spire-server`,
      );
    return roleIn(role, account);
  }
  if (config.assumeRole !== undefined) return roleIn(config.assumeRole.roleArn, account);
  const clients = createClients(config);
  try {
    const caller = await clients.sts.getCallerIdentity();
    const assumed = assumedRoleOf(caller.arn);
    const told = `the server is taken to be ${caller.arn}, whom these credentials belong to; --role names another`;
    if (assumed === undefined) return { ...roleIn(caller.arn, account ?? caller.account), notes: [told] };
    const known = await clients.iam.getRoleArn(assumed).catch(() => undefined);
    const arn = known ?? `arn:${assumed.partition}:iam::${assumed.account}:role/${assumed.roleName}`;
    return {
      account: account ?? caller.account,
      role: { roleArn: arn, isPathKnown: false },
      notes: [told],
      hasPlaceholders: false,
    };
  } catch (error) {
    if (!isKmsError(error)) throw error;
    const note = `AWS does not tell whose credentials these are, so ${placeholderAccount} and ROLE stand for what is to be filled in; --role names it; ${explain(error)}`;
    return { account: account ?? placeholderAccount, role: undefined, notes: [note], hasPlaceholders: true };
  } finally {
    clients.close();
  }
}

function remarksOn(kind: PolicyKind, configuration: CommandConfiguration): readonly string[] {
  const { config } = configuration;
  const remarks: string[] = [];
  if (kind === "iam" && config.keyTags.length === 0 && !config.tagBasedKeyDiscovery) {
    remarks.push(
      "no key_tags are set, so the statement for keys holds for every key of the account and Region; with key_tags it is bound to keys that have them",
    );
  }
  if (kind === "iam" && config.keyTags.length > 0 && !config.retagExistingKeys) {
    remarks.push(
      "keys that were made before key_tags have no such tag: set retag_existing_keys, or the server loses them by this policy",
    );
  }
  if (kind === "iam" && config.assumeRole !== undefined) {
    remarks.push(
      `this policy is for ${config.assumeRole.roleArn}; who assumes it needs sts:AssumeRole on it, and its trust policy must say so`,
    );
  }
  if (kind === "iam" && config.multiRegion.isOn) {
    remarks.push(
      "iam:CreateServiceLinkedRole is used once in an account, for its first multi-Region key; an administrator can do it instead: aws iam create-service-linked-role --aws-service-name mrk.kms.amazonaws.com",
      "bringing the primary keys into another Region is for an operator, not for the server: --promote prints what that needs",
    );
  }
  if (kind === "key") remarks.push("to be named by key_policy_file; it holds for keys that are made from then on");
  return remarks;
}

export async function runPolicy(
  kind: PolicyKind,
  flags: PolicyFlags,
  { terminal, env }: CommandContext,
): Promise<ExitCode> {
  if (flags.account !== undefined && !/^\d{12}$/.test(flags.account)) {
    throw new UsageError(`--account: ${JSON.stringify(flags.account)} is no account id of twelve digits`);
  }
  const configuration = await readConfiguration(flags, env);
  if (flags.promote && configuration.plugin === "kms") {
    throw new UsageError("--promote: the kms plugin makes single-Region keys, so there is nothing to promote");
  }
  const { account, role, notes, hasPlaceholders } = await whose(flags, configuration);
  const { region } = configuration.config;
  const place: Place = { partition: partitionOf(region), account, region };
  const principal = role?.roleArn ?? `arn:${place.partition}:iam::${account}:role/ROLE`;
  const statements = flags.promote
    ? promotionStatements(configuration, place)
    : kind === "iam"
      ? iamStatements(configuration, place, role)
      : keyStatements(configuration, place, principal);
  const name = flags.promote ? "spire_promote" : kind === "iam" ? "spire_server" : "spire_server_keys";
  const terraform = terraformText(name, statements);
  const remarks = flags.promote ? [] : [...notes, ...remarksOn(kind, configuration)];
  if (flags.json) {
    const policy = policyDocument(statements);
    terminal.print(jsonText({ format: "spire-aws-kms/policy", version: 1, kind, policy, terraform, notes: remarks }));
  } else terminal.print(flags.terraform ? terraform : JSON.stringify(policyDocument(statements), undefined, 2));
  if (!flags.json) for (const remark of remarks) terminal.hint(printable(remark));
  return hasPlaceholders ? exitCodes.incomplete : exitCodes.done;
}
