/**
 * The one checked configuration that commands work with: from `server.conf` as SPIRE reads it, from flags, or from both,
 * where flags win. It goes through the very tables of settings that the plugins have.
 *
 * Nothing is made and nothing is changed: an identifier file that is not there stays away.
 */
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { KeyManagerError } from "../../key-manager/errors.ts";
import type { KeyNames } from "../../key-manager/names.ts";
import { awsKmsNames, tidyPath } from "../../plugin/aws-kms/names.ts";
import { readServerId } from "../../plugin/aws-kms/server-id.ts";
import { type AwsKmsConfig, parseConfig } from "../../plugin/aws-kms/settings.ts";
import { kmsNames } from "../../plugin/kms/names.ts";
import { type KmsConfig, parseKmsConfig } from "../../plugin/kms/settings.ts";
import { type PluginData, readPluginData, readSettings, type Setting } from "../../plugin/settings/plugin-data.ts";
import { errnoOf, SettingFiles } from "../../plugin/settings/setting-files.ts";
import { trustDomainProblem } from "../../plugin-sdk/config/trust-domain.ts";
import { systemClock } from "../system-clock.ts";
import { expandEnv } from "./expand-env.ts";
import type { ConfigurationFlags, PluginKind } from "./flags.ts";
import { pluginKindOf } from "./plugin-kind.ts";
import { type KeyManagerBlock, readServerConf, type ServerConf } from "./server-conf.ts";

interface CommonConfiguration {
  /** The file it stands in; undefined: flags alone. */
  readonly file: string | undefined;
  /** The block of `server.conf`; undefined: flags alone. */
  readonly block: KeyManagerBlock | undefined;
  /** Names of this server's keys; of none, if its id is not known. */
  readonly names: KeyNames;
  /** Names that take no server for this one, for a look at all of them. */
  readonly allNames: KeyNames;
  /** What works but should be changed. */
  readonly warnings: readonly string[];
}

export interface AwsKmsConfiguration extends CommonConfiguration {
  readonly plugin: "aws_kms";
  readonly config: AwsKmsConfig;
  readonly trustDomain: string;
  /** Undefined: neither flag nor setting nor an existing identifier file tells it. */
  readonly serverId: string | undefined;
}

export interface KmsConfiguration extends CommonConfiguration {
  readonly plugin: "kms";
  readonly config: KmsConfig;
  /** `kms` does not need it. */
  readonly trustDomain: string | undefined;
  readonly serverId: undefined;
}

export type CommandConfiguration = AwsKmsConfiguration | KmsConfiguration;

/** A configuration that cannot be worked with; each problem is one sentence that begins with a setting or a flag. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly problems: readonly string[];
  readonly file: string | undefined;

  constructor(problems: readonly string[], file?: string) {
    super(problems.join("; "));
    this.problems = problems;
    this.file = file;
  }
}

type Environment = Readonly<Record<string, string | undefined>>;

const defaultFile = "conf/server/server.conf";
const maxDataBytes = 1_048_576;
const maxConfBytes = 8 * 1_048_576;

const flagOfSetting: Readonly<Record<string, string>> = {
  region: "--region",
  endpoint: "--endpoint",
  sts_endpoint: "--sts-endpoint",
  profile: "--profile",
  key_identifier_value: "--server-id",
  key_identifier_file: "--identifier-file",
  key_prefix: "--key-prefix",
};

/** What flags set, by setting. */
function settingsOfFlags(flags: ConfigurationFlags): ReadonlyMap<string, string> {
  const given = {
    region: flags.region,
    endpoint: flags.endpoint,
    sts_endpoint: flags.stsEndpoint,
    profile: flags.profile,
    key_identifier_value: flags.serverId,
    key_identifier_file: flags.identifierFile,
    key_prefix: flags.keyPrefix,
  };
  return new Map(Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

const credentialSettings = ["access_key_id", "secret_access_key", "session_token"];
const roleSettings = ["assume_role_arn", "assume_role_external_id", "assume_role_session_name", "profile"];
const identitySettings = ["key_identifier_value", "key_identifier_file", "key_metadata_file"];

function droppedBy(flags: ConfigurationFlags): ReadonlySet<string> {
  const isIdentified = flags.serverId !== undefined || flags.identifierFile !== undefined;
  return new Set([
    ...(flags.profile !== undefined || flags.ownCredentials ? credentialSettings : []),
    ...(flags.ownCredentials ? roleSettings : []),
    ...(isIdentified ? identitySettings : []),
  ]);
}

/** The settings of `server.conf` with those of flags put over them. */
function merged({ settings, problems }: PluginData, flags: ConfigurationFlags): PluginData {
  if (settings === undefined) return { settings, problems };
  const dropped = droppedBy(flags);
  const over = settingsOfFlags(flags);
  const kept = Object.entries(settings).filter(([name]) => {
    const folded = name.toLowerCase();
    return !dropped.has(folded) && !over.has(folded);
  });
  const all: readonly (readonly [string, Setting])[] = [...kept, ...over];
  return { settings: Object.fromEntries(all), problems };
}

/** `server.conf`'s own message would name a setting that the operator gave as a flag. */
const inWordsOfFlags = (problems: readonly string[], flags: ConfigurationFlags): readonly string[] => {
  const over = settingsOfFlags(flags);
  return problems.map((problem) => {
    const [, setting = ""] = /^(\w+):/.exec(problem) ?? [];
    const flag = over.has(setting) ? flagOfSetting[setting] : undefined;
    return flag === undefined ? problem : `${flag}${problem.slice(setting.length)}`;
  });
};

/** Of a file, a pipe, a device. @returns undefined where there is more of it */
async function readBounded(path: string, maxBytes: number): Promise<string | undefined> {
  const file = await open(path, "r");
  try {
    const parts: Buffer[] = [];
    for (let size = 0; size <= maxBytes; ) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(65_536), 0, 65_536, null);
      if (bytesRead === 0) return Buffer.concat(parts).toString("utf8");
      parts.push(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
    return undefined;
  } finally {
    await file.close();
  }
}

async function readConfFile(file: string, flags: ConfigurationFlags, env: Environment): Promise<ServerConf> {
  let text: string | undefined;
  try {
    text = await readBounded(file, maxConfBytes);
  } catch (error) {
    throw new ConfigurationError([`--config: ${file} cannot be read: ${errnoOf(error)}`], file);
  }
  if (text === undefined) {
    const most = `${maxConfBytes / 1_048_576} MB`;
    throw new ConfigurationError([
      `--config: ${file} has more than ${most}, so it is no server.conf; name another file`,
    ]);
  }
  const conf = readServerConf(flags.expandEnv ? expandEnv(text, env) : text);
  if ("problems" in conf) throw new ConfigurationError(conf.problems, file);
  return conf;
}

/** Names a file as the plugin does. */
const dataFileOf = (path: string) => ({
  setting: "plugin_data_file",
  path,
  maxBytes: maxDataBytes,
  advice: "it must name a file that the SPIRE Server's user can read",
});

async function dataOf({ pluginData, pluginDataFile }: KeyManagerBlock): Promise<PluginData> {
  if (pluginDataFile === undefined) {
    return pluginData === undefined ? { settings: {}, problems: [] } : readSettings(pluginData);
  }
  const text = await new SettingFiles({ clock: systemClock }).read(dataFileOf(resolve(pluginDataFile)));
  if (text === undefined) {
    return {
      settings: undefined,
      problems: [`plugin_data_file ${pluginDataFile} cannot be read: there is no such file`],
    };
  }
  return readPluginData(text);
}

/** As SPIRE takes it: a name, or a SPIFFE ID of which the name is a part. */
function checkedTrustDomain(text: string, where: string): string | { readonly problem: string } {
  const name = /^spiffe:\/\/([^/]*)/.exec(text)?.[1] ?? text;
  const problem = name === "" ? "it is empty" : trustDomainProblem(name);
  return problem === undefined
    ? name
    : { problem: `${where}: ${JSON.stringify(text.slice(0, 80))} is no trust domain: ${problem}` };
}

interface Sources {
  readonly flags: ConfigurationFlags;
  readonly file: string | undefined;
  readonly conf: ServerConf | undefined;
  readonly data: PluginData;
}

/** Stands for the server id that is not known; no alias has it. */
const noServer = "";

function trustDomainOf({ flags, conf }: Sources): string | { readonly problem: string } | undefined {
  if (flags.trustDomain !== undefined) return checkedTrustDomain(flags.trustDomain, "--trust-domain");
  return conf?.trustDomain === undefined ? undefined : checkedTrustDomain(conf.trustDomain, "trust_domain");
}

async function serverIdOf({ identity }: AwsKmsConfig): Promise<string | undefined> {
  if (identity.kind === "value") return tidyPath(identity.value);
  const { path, setting } = identity;
  return readServerId(path, setting, new SettingFiles({ clock: systemClock }));
}

const identityMissing = /^key_identifier_file: configuration requires/;

async function awsKmsConfiguration(sources: Sources): Promise<AwsKmsConfiguration> {
  const { flags, file, conf, data } = sources;
  const trustDomain = trustDomainOf(sources);
  const found: string[] = [];
  if (typeof trustDomain === "object") found.push(trustDomain.problem);
  if (trustDomain === undefined) {
    found.push(
      conf === undefined
        ? "--trust-domain: it is needed"
        : "trust_domain: it is missing in the server block; give --trust-domain",
    );
  }
  const settings = merged(data, flags);
  let { config, problems, warnings } = parseConfig(typeof trustDomain === "string" ? trustDomain : "", settings);
  // For flags alone it is no fault that they are about all servers.
  const isOfAll = conf === undefined && problems.some((problem) => identityMissing.test(problem));
  if (isOfAll && settings.settings !== undefined) {
    const placeholder = { ...settings, settings: { ...settings.settings, key_identifier_value: "none" } };
    ({ config, problems, warnings } = parseConfig(typeof trustDomain === "string" ? trustDomain : "", placeholder));
  }
  found.push(...inWordsOfFlags(problems, flags));
  if (found.length > 0 || config === undefined || typeof trustDomain !== "string")
    throw new ConfigurationError(found, file);
  const serverId = isOfAll ? undefined : await serverIdOf(config);
  return {
    plugin: "aws_kms",
    file,
    block: conf?.keyManager,
    config,
    trustDomain,
    serverId,
    names: awsKmsNames(trustDomain, serverId ?? noServer),
    allNames: awsKmsNames(trustDomain, noServer),
    warnings: [...(conf?.keyManager.warnings ?? []), ...warnings],
  };
}

function kmsConfiguration(sources: Sources): KmsConfiguration {
  const { flags, file, conf, data } = sources;
  const trustDomain = trustDomainOf(sources);
  const { config, problems, warnings } = parseKmsConfig("", merged(data, flags));
  const found = [...(typeof trustDomain === "object" ? [trustDomain.problem] : []), ...inWordsOfFlags(problems, flags)];
  if (found.length > 0 || config === undefined || typeof trustDomain === "object")
    throw new ConfigurationError(found, file);
  const names = kmsNames(config.keyPrefix);
  return {
    plugin: "kms",
    file,
    block: conf?.keyManager,
    config,
    trustDomain,
    serverId: undefined,
    names,
    allNames: names,
    warnings: [...(conf?.keyManager.warnings ?? []), ...warnings],
  };
}

/** Relative paths start from where SPIRE Server runs. */
function enter(folder: string | undefined): void {
  if (folder === undefined) return;
  try {
    process.chdir(folder);
  } catch (error) {
    throw new ConfigurationError([`--chdir: ${folder} cannot be entered: ${errnoOf(error)}`]);
  }
}

async function sourcesOf(flags: ConfigurationFlags, env: Environment): Promise<Sources> {
  const given = flags.config === undefined ? undefined : resolve(flags.config);
  enter(flags.chdir);
  const isByFlags = flags.trustDomain !== undefined || flags.keyPrefix !== undefined;
  if (given === undefined && isByFlags) {
    const region = flags.region ?? env.AWS_REGION ?? env.AWS_DEFAULT_REGION;
    const settings = region === undefined ? {} : { region };
    return { flags, file: undefined, conf: undefined, data: { settings, problems: [] } };
  }
  const file = given ?? resolve(defaultFile);
  const conf = await readConfFile(file, flags, env).catch((error: unknown) => {
    if (given !== undefined || !(error instanceof ConfigurationError) || !/ENOENT$/.test(error.message)) throw error;
    throw new ConfigurationError([
      `--config: name SPIRE Server's server.conf (there is none at ${defaultFile}), or give --trust-domain and --region`,
    ]);
  });
  return { flags, file, conf, data: await dataOf(conf.keyManager) };
}

/**
 * The KeyManager's block alone, of whatever plugin it is.
 *
 * @throws ConfigurationError
 */
export async function readKeyManagerBlock(
  flags: Pick<ConfigurationFlags, "config" | "expandEnv" | "chdir">,
  env: Environment,
): Promise<KeyManagerBlock> {
  const file = resolve(flags.config ?? defaultFile);
  enter(flags.chdir);
  return (await readConfFile(file, flags, env)).keyManager;
}

function kindOf({ flags, conf, data }: Sources): PluginKind {
  if (flags.plugin !== undefined) return flags.plugin;
  if (conf === undefined) return flags.keyPrefix === undefined ? "aws_kms" : "kms";
  const kind = pluginKindOf(conf.keyManager, Object.keys(data.settings ?? {}));
  if (kind !== undefined) return kind;
  throw new ConfigurationError([
    `KeyManager "${conf.keyManager.name}": it is neither aws_kms nor kms, so its keys are not in AWS KMS; if it is one of them under another name, give --plugin`,
  ]);
}

/**
 * Reads what the flags name.
 *
 * @throws ConfigurationError with every problem at once
 */
export async function readConfiguration(flags: ConfigurationFlags, env: Environment): Promise<CommandConfiguration> {
  try {
    const sources = await sourcesOf(flags, env);
    return kindOf(sources) === "kms" ? kmsConfiguration(sources) : await awsKmsConfiguration(sources);
  } catch (error) {
    if (error instanceof KeyManagerError) throw new ConfigurationError([error.message], flags.config);
    throw error;
  }
}
