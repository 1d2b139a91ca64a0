/**
 * AWS's shared files (`~/.aws/config`, `~/.aws/credentials`), read as the AWS SDK for Go v2 reads them: the built-in plugin
 * must find the same profiles with the same values.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import type { ReadText } from "./limited-file.ts";
import { sourceError, wordsOf } from "./source-error.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Section {
  /** Names are lower-case. */
  readonly values: Map<string, string>;
  problem?: string | undefined;
}

/** By name: profiles without the prefix `profile `, others (`sso-session x`, `services x`) as they are. */
export type Sections = Map<string, Section>;

const keyPair = ["aws_access_key_id", "aws_secret_access_key"] as const;

/** Settings of the credentials file that replace those of the configuration file. */
const mergedSettings = [
  "role_arn",
  "source_profile",
  "credential_source",
  "external_id",
  "mfa_serial",
  "role_session_name",
  "region",
  "credential_process",
  "web_identity_token_file",
  "ec2_metadata_service_endpoint_mode",
  "ec2_metadata_service_endpoint",
  "ec2_metadata_v1_disabled",
  "ca_bundle",
  "duration_seconds",
  "sso_session",
  "sso_account_id",
  "sso_region",
  "sso_role_name",
  "sso_start_url",
  "login_session",
];

const unquoted = (value: string): string => /^(["'])([\s\S]*)\1$/.exec(value)?.[2] ?? value;

function property(line: string): readonly [name: string, value: string] | undefined {
  const at = line.search(/[=:]/);
  if (at < 0) return undefined;
  return [line.slice(0, at).trim().toLowerCase(), unquoted(line.slice(at + 1).trim())];
}

function sectionName(line: string): string | undefined {
  // JavaScript takes a byte order mark for white space, Go does not.
  if (line.startsWith("\ufeff")) return undefined;
  const text = line.split(/[#;]/, 1)[0]?.trim() ?? "";
  if (!text.startsWith("[") || !text.endsWith("]")) return undefined;
  const name = text.slice(1, -1).trim();
  const [, type, rest] = /^([^ \t]+)[ \t]+(.*)$/s.exec(name) ?? [];
  return type === undefined ? name : `${type} ${rest}`;
}

/** Lines that begin with white space: a nested setting, or more of the value above. */
function continueWith(section: Section, name: string | undefined, line: string): string | undefined {
  const value = name === undefined ? undefined : section.values.get(name);
  const nested = property(line.trimStart());
  if (nested === undefined) {
    if (name !== undefined && value) section.values.set(name, `${value}\n${line.trimStart()}`);
    return name;
  }
  // Below a setting without a value it is that one's own; else it is taken as if it stood at the margin.
  if (name !== undefined && !value) return name;
  section.values.set(nested[0], nested[1].split(/[ \t][#;]/, 1)[0]?.trim() ?? "");
  return nested[0];
}

/** One file's sections. What is no setting is passed over, as the Go SDK does. */
export function parseSharedFile(text: string): Sections {
  const sections: Sections = new Map();
  let section: Section | undefined;
  let name: string | undefined;
  for (const line of text.split("\n")) {
    if (line.trim() === "" || /^[ \t]*[#;]/.test(line)) continue;
    const title = sectionName(line);
    if (title !== undefined) {
      section = sections.get(title) ?? { values: new Map() };
      sections.set(title, section);
      name = undefined;
    } else if (section !== undefined && /^[ \t]/.test(line)) {
      name = continueWith(section, name, line);
    } else if (section !== undefined) {
      const found = property(line.split(/[ \t][#;]/, 1)[0]?.trimEnd() ?? "");
      if (found === undefined) continue;
      section.values.set(...found);
      name = found[0];
    }
  }
  for (const [title, { values }] of sections) {
    const has = keyPair.filter((key) => values.has(key)).length;
    const owner = sections.get(title);
    if (has === 1 && owner !== undefined) owner.problem = `profile ${title} has one of ${keyPair.join(" and ")} only`;
  }
  return sections;
}

/** In the configuration file, profiles other than the default one have a prefix. */
function ofConfiguration(found: Sections): Sections {
  const sections: Sections = new Map();
  for (const [title, section] of found) {
    if (/^(sso-session|services) /.test(title) || /^default$/i.test(title)) sections.set(title, section);
  }
  for (const [title, section] of found) {
    if (title.startsWith("profile ")) sections.set(title.slice("profile ".length), section);
  }
  return sections;
}

function mergeInto(sections: Sections, added: Sections): void {
  for (const [title, section] of added) {
    if (title.startsWith("profile ")) continue;
    const known = sections.get(title);
    if (known === undefined) {
      sections.set(title, section);
      continue;
    }
    known.problem = section.problem;
    const arePairs = keyPair.every((key) => section.values.has(key));
    const names = [...mergedSettings, ...(arePairs ? [...keyPair, "aws_session_token"] : [])];
    for (const name of names) {
      const value = section.values.get(name);
      if (value !== undefined) known.values.set(name, value);
    }
  }
}

/** The home folder, or none: a user id without an entry in passwd has no home. */
export function homeFolder(env: Environment): string | undefined {
  if (env.HOME) return env.HOME;
  try {
    return homedir() || undefined;
  } catch {
    return undefined;
  }
}

/**
 * Gives the process a home folder if it has none: AWS's SDK looks for one before every setting that it reads, and without
 * one nothing works. The folder does not exist, so no file is found in it.
 */
export function ensureHome(env: Record<string, string | undefined> = process.env): void {
  if (homeFolder(env) === undefined) env.HOME = "/nonexistent";
}

/** Where the shared files are looked for; undefined where there is no home to look in. */
export function sharedFilePaths(env: Environment): { readonly config?: string; readonly credentials?: string } {
  const home = homeFolder(env);
  const path = (chosen: string | undefined, name: string) =>
    chosen || (home === undefined ? undefined : join(home, ".aws", name));
  const config = path(env.AWS_CONFIG_FILE, "config");
  const credentials = path(env.AWS_SHARED_CREDENTIALS_FILE, "credentials");
  return {
    ...(config === undefined ? {} : { config }),
    ...(credentials === undefined ? {} : { credentials }),
  };
}

/** A file that cannot be opened is taken for an empty one, as the Go SDK does; one that is no file, or hangs, is not. */
async function read(path: string | undefined, readText: ReadText): Promise<Sections> {
  if (path === undefined) return new Map();
  try {
    return parseSharedFile(await readText(path));
  } catch (error) {
    if (/^(ENOENT|EACCES|EPERM|ENOTDIR|ELOOP|ENAMETOOLONG)$/.test(String(Reflect.get(Object(error), "code")))) {
      return new Map();
    }
    if (error instanceof Error && error.name === "KmsError") throw error;
    throw sourceError(`cannot read the shared file ${path}: ${wordsOf(error)}`);
  }
}

/** All profiles, with the credentials file's values before those of the configuration file. */
export async function readSharedFiles(env: Environment, readText: ReadText): Promise<Sections> {
  const paths = sharedFilePaths(env);
  const [config, credentials] = await Promise.all([read(paths.config, readText), read(paths.credentials, readText)]);
  const sections = ofConfiguration(config);
  mergeInto(sections, credentials);
  return sections;
}
