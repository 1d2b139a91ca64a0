/** The flags of `spire-aws-kms migrate`, read into the two naming schemes; all problems are told together. */
import { KeyManagerError } from "../../key-manager/errors.ts";
import type { MigrationNames } from "../../key-manager/migration/compare-names.ts";
import type { Phase } from "../../key-manager/migration/steps.ts";
import type { KeyNames } from "../../key-manager/names.ts";
import { awsKmsNames } from "../../plugin/aws-kms/names.ts";
import { readServerId } from "../../plugin/aws-kms/server-id.ts";
import { kmsNames } from "../../plugin/kms/names.ts";
import { keyPrefix } from "../../plugin/kms/settings.ts";
import { serverId } from "../../plugin/settings/schemas.ts";
import { SettingFiles } from "../../plugin/settings/setting-files.ts";
import { type SharedConfig, sharedConfigOf, sharedSettings } from "../../plugin/settings/shared.ts";
import { checkSettings } from "../../plugin/settings/table.ts";
import { trustDomainProblem } from "../../plugin-sdk/config/trust-domain.ts";
import { systemClock } from "../system-clock.ts";

/** As commander hands them over. */
export interface MigrateFlags {
  readonly fromPrefix?: string;
  readonly fromServerId?: string;
  readonly trustDomain?: string;
  readonly toServerId?: string;
  readonly toIdentifierFile?: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly apply?: boolean;
  readonly finish?: boolean;
  readonly back?: boolean;
  readonly json?: boolean;
}

/** One of the two naming schemes, as reports show it. */
export type NamesOf =
  | { readonly plugin: "kms"; readonly key_prefix: string }
  | { readonly plugin: "aws_kms"; readonly trust_domain: string; readonly server_id: string };

export interface MigrationRequest {
  readonly names: MigrationNames;
  readonly from: NamesOf;
  readonly to: NamesOf;
  /** Where the keys are; credentials come from the AWS SDK's default chain. */
  readonly client: SharedConfig;
  /** Undefined: show the plan. */
  readonly phase: Phase | undefined;
}

const flagTable = {
  "--from-prefix": keyPrefix,
  "--from-server-id": serverId,
  "--to-server-id": serverId,
  "--region": sharedSettings.region,
  "--endpoint": sharedSettings.endpoint,
};

const given = (values: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));

const exactlyOne = (one: string | undefined, other: string | undefined, flags: string): string[] => {
  if (one === undefined && other === undefined) return [`one of ${flags} is needed`];
  return one !== undefined && other !== undefined ? [`only one of ${flags} can be given`] : [];
};

const phases: readonly Phase[] = ["apply", "finish", "back"];

function readPhase(flags: MigrateFlags): { readonly phase: Phase | undefined } | string {
  const given = phases.filter((phase) => flags[phase]);
  return given.length > 1 ? "only one of --apply, --finish and --back can be given" : { phase: given[0] };
}

/** @returns the server id, or what is wrong with the file */
async function identifierIn(path: string): Promise<{ readonly id: string } | string> {
  try {
    const id = await readServerId(path, "--to-identifier-file", new SettingFiles({ clock: systemClock }));
    // Made here the file would belong to whoever runs this command, and SPIRE Server could not read it.
    if (id === undefined) {
      return `--to-identifier-file: there is no file ${path}; make it as the SPIRE Server's user: uuidgen > ${path}`;
    }
    return { id };
  } catch (error) {
    if (error instanceof KeyManagerError) return error.message;
    throw error;
  }
}

function problemsWith(flags: MigrateFlags): string[] {
  const { trustDomain, fromPrefix, fromServerId, toServerId, toIdentifierFile } = flags;
  const problems = [
    ...exactlyOne(fromPrefix, fromServerId, "--from-prefix and --from-server-id"),
    ...exactlyOne(toServerId, toIdentifierFile, "--to-server-id and --to-identifier-file"),
  ];
  for (const [name, value] of [
    ["--from-prefix", fromPrefix],
    ["--from-server-id", fromServerId],
    ["--to-server-id", toServerId],
  ] as const) {
    if (value === "") problems.push(`${name}: is empty`);
  }
  const malformed = trustDomain === undefined ? undefined : trustDomainProblem(trustDomain);
  if (trustDomain === undefined) problems.push("--trust-domain is needed");
  else if (malformed !== undefined) problems.push(`--trust-domain: is ${JSON.stringify(trustDomain)}; ${malformed}`);
  return problems;
}

/** Where the keys are. @returns undefined when the problems, to which it adds, say why */
function readClient(
  flags: MigrateFlags,
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): SharedConfig | undefined {
  const settings = given({
    "--from-prefix": flags.fromPrefix,
    "--from-server-id": flags.fromServerId,
    "--to-server-id": flags.toServerId,
    "--region": flags.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION,
    "--endpoint": flags.endpoint,
  });
  const checked = checkSettings(flagTable, { settings, problems: [] });
  problems.push(...(checked?.problems ?? []));
  const region = checked?.values["--region"];
  if (region === undefined && !problems.some((problem) => problem.startsWith("--region:"))) {
    problems.push("--region is needed, or AWS_REGION in the environment");
  }
  return sharedConfigOf({ region, endpoint: checked?.values["--endpoint"] }, new Set(["region"])).shared;
}

function readNames({ fromPrefix, fromServerId = "", trustDomain = "" }: MigrateFlags, toServerId: string) {
  const from: NamesOf =
    fromPrefix === undefined
      ? { plugin: "aws_kms", trust_domain: trustDomain, server_id: fromServerId }
      : { plugin: "kms", key_prefix: fromPrefix };
  const to: NamesOf = { plugin: "aws_kms", trust_domain: trustDomain, server_id: toServerId };
  return { from, to, names: { from: namesOf(from), to: namesOf(to) } };
}

const namesOf = (names: NamesOf): KeyNames =>
  names.plugin === "kms" ? kmsNames(names.key_prefix) : awsKmsNames(names.trust_domain, names.server_id);

/** Some key id that SPIRE has must fit under either name, and not be the same under both. */
function namesProblem({ from, to }: MigrationNames): string | undefined {
  try {
    return from.aliasFor("x509-CA-A") === to.aliasFor("x509-CA-A")
      ? "the old and the new names are the same"
      : undefined;
  } catch (error) {
    if (error instanceof KeyManagerError) return error.message;
    throw error;
  }
}

/** @returns what is wrong with the flags, one sentence each, when they make no request */
export async function readFlags(
  flags: MigrateFlags,
  env: Readonly<Record<string, string | undefined>>,
): Promise<MigrationRequest | readonly string[]> {
  const { toServerId = "", toIdentifierFile } = flags;
  const problems = problemsWith(flags);
  const client = readClient(flags, env, problems);
  const phase = readPhase(flags);
  if (typeof phase === "string") problems.push(phase);
  const identifier = toIdentifierFile === undefined ? { id: toServerId } : await identifierIn(toIdentifierFile);
  if (typeof identifier === "string") problems.push(identifier);
  if (problems.length > 0 || client === undefined || typeof identifier === "string" || typeof phase === "string") {
    return problems;
  }
  const named = readNames(flags, identifier.id);
  const problem = namesProblem(named.names);
  return problem === undefined ? { ...named, ...phase, client } : [problem];
}
