/**
 * SPIRE Server's configuration file, as far as a KeyManager plugin is concerned: the trust domain, and the KeyManager that
 * SPIRE would start.
 *
 * Read as SPIRE reads it: names of settings in any letter case, types and names of plugins in exactly one, blocks in any of
 * HCL's forms, JSON among them, exactly one KeyManager that is enabled. Compared with SPIRE 1.13's own reading, case by case.
 */
import { attributes, HclError, type HclObject, type HclValue, parseHcl } from "../../hcl/index.ts";

/** One `KeyManager "name" { … }`. */
export interface KeyManagerBlock {
  readonly name: string;
  /** Undefined: SPIRE's built-in plugin of that name. */
  readonly pluginCmd: string | undefined;
  readonly pluginArgs: readonly string[];
  readonly pluginChecksum: string | undefined;
  readonly pluginData: HclObject | undefined;
  readonly pluginDataFile: string | undefined;
  /** What SPIRE takes, and the operator may not have meant. */
  readonly warnings: readonly string[];
}

interface Problems {
  readonly problems: readonly string[];
}

export interface ServerConf {
  /** As it stands there; undefined when it does not. */
  readonly trustDomain: string | undefined;
  readonly keyManager: KeyManagerBlock;
}

export type ServerConfResult = ServerConf | Problems;

/** Blocks and JSON's lists of objects as one object. */
function objectOf(values: readonly HclValue[]): HclObject | undefined {
  const objects = values.flatMap((value) =>
    value.kind === "list"
      ? value.items.filter((item) => item.kind === "object")
      : value.kind === "object"
        ? [value]
        : [],
  );
  const [first] = objects;
  return first && { kind: "object", items: objects.flatMap(({ items }) => items), position: first.position };
}

/** The values of a setting, whatever its letter case. */
function valuesOf(object: HclObject | undefined, name: string): readonly HclValue[] {
  if (object === undefined) return [];
  return [...attributes(object)].flatMap(([spelling, values]) => (spelling.toLowerCase() === name ? values : []));
}

/** SPIRE's decoder takes a number where text is wanted, and nothing else. */
function textOf(value: HclValue | undefined): string | undefined {
  if (value?.kind === "string") return value.value;
  return value?.kind === "number" ? value.text : undefined;
}

const settingOf = (object: HclObject, name: string): string | undefined => textOf(valuesOf(object, name).at(-1));

const isNull = (value: HclValue): boolean => value.kind === "string" && value.form === "null";

const isEnabled = (block: HclObject): boolean => {
  const value = valuesOf(block, "enabled").at(-1);
  return !(value?.kind === "bool" && !value.value);
};

/** Of several blocks SPIRE hands the first one to the plugin, and no other. In JSON each may stand in a list. */
function dataOf(values: readonly HclValue[], isJson: boolean): HclObject | "no block" | undefined {
  const [first] = values;
  if (first === undefined || isNull(first)) return undefined;
  const value = first.kind === "list" && isJson ? first.items[0] : first;
  return value?.kind === "object" ? value : "no block";
}

/** Settings of a type that SPIRE's decoder does not take. */
function typeProblems(name: string, block: HclObject): readonly string[] {
  const where = `KeyManager "${name}"`;
  const texts = ["plugin_cmd", "plugin_checksum", "plugin_data_file"].flatMap((setting) =>
    valuesOf(block, setting).some((value) => textOf(value) === undefined)
      ? [`${where}: ${setting} must be a string, or SPIRE refuses the file`]
      : [],
  );
  const areArgs = valuesOf(block, "plugin_args").every(
    (value) => value.kind === "list" && value.items.every((item) => textOf(item) !== undefined),
  );
  const isFlag = valuesOf(block, "enabled").every(({ kind }) => kind === "bool");
  return [
    ...texts,
    ...(areArgs ? [] : [`${where}: plugin_args must be a list of strings, like ["-x"], or SPIRE refuses the file`]),
    ...(isFlag ? [] : [`${where}: enabled must be true or false without quotes, or SPIRE refuses the file`]),
  ];
}

function blockOf(name: string, block: HclObject, isJson: boolean): KeyManagerBlock | Problems {
  const args = valuesOf(block, "plugin_args").at(-1);
  const values = valuesOf(block, "plugin_data");
  const pluginData = dataOf(values, isJson);
  const pluginDataFile = settingOf(block, "plugin_data_file");
  const problems = typeProblems(name, block);
  if (problems.length > 0) return { problems };
  if (pluginData === "no block") {
    return { problems: [`KeyManager "${name}": plugin_data must be a block of settings, plugin_data { … }`] };
  }
  if (pluginData !== undefined && pluginDataFile !== undefined) {
    return { problems: [`KeyManager "${name}": only one of plugin_data and plugin_data_file can be used`] };
  }
  const count = values.flatMap((value) => (value.kind === "list" ? value.items : [value])).length;
  return {
    name,
    pluginCmd: settingOf(block, "plugin_cmd") || undefined,
    pluginArgs: args?.kind === "list" ? args.items.flatMap((item) => textOf(item) ?? []) : [],
    pluginChecksum: settingOf(block, "plugin_checksum") || undefined,
    pluginData,
    pluginDataFile,
    warnings:
      count > 1
        ? [`KeyManager "${name}": of ${count} plugin_data blocks SPIRE takes the first and leaves the others out`]
        : [],
  };
}

const list = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(", ");

function keyManagerOf(plugins: HclObject, isJson: boolean): KeyManagerBlock | Problems {
  const keyManagers = objectOf(attributes(plugins).get("KeyManager") ?? []);
  const blocks = keyManagers === undefined ? [] : [...attributes(keyManagers)];
  const twice = blocks.filter(([, values]) => values.length > 1).map(([name]) => name);
  if (twice.length > 0)
    return { problems: [`plugins: KeyManager ${list(twice)} is declared more than once; keep one`] };
  const enabled = blocks.flatMap(([name, values]) => {
    const block = objectOf(values);
    return block !== undefined && isEnabled(block) ? [{ name, block }] : [];
  });
  const [found, ...others] = enabled;
  if (found === undefined) {
    const disabled = blocks.length > 0 ? `; ${list(blocks.map(([name]) => name))} is disabled` : "";
    return { problems: [`plugins: there is no KeyManager block that is enabled${disabled}; SPIRE needs exactly one`] };
  }
  if (others.length > 0) {
    const names = list(enabled.map(({ name }) => name));
    return { problems: [`plugins: KeyManager ${names} are enabled side by side; SPIRE takes exactly one`] };
  }
  return blockOf(found.name, found.block, isJson);
}

/** Which other language the text may be in; SPIRE reads HCL 1, which JSON is a form of. */
function otherLanguage(text: string): string {
  if (text.startsWith("\ufeff"))
    return "; the file begins with a byte order mark, which SPIRE does not take: save it without";
  const [first = ""] = text.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("#"));
  if (/^(---|%YAML|[\w-]+:(\s|$))/.test(first)) return "; SPIRE Server reads HCL or JSON, and no YAML";
  if (/^\[\[?[\w.-]+\]\]?\s*$/.test(first)) return "; SPIRE Server reads HCL or JSON, and no TOML";
  return text.trimStart().startsWith("[") ? "; in JSON the whole has to be one object, { … }" : "";
}

/**
 * Reads the text of `server.conf`, variables expanded already.
 *
 * Never throws, and quotes nothing of the text but names: it may hold credentials.
 */
export function readServerConf(text: string): ServerConfResult {
  let root: HclObject;
  try {
    root = parseHcl(text);
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    return { problems: [`unable to decode configuration: ${error.message}${otherLanguage(text)}`] };
  }
  const server = objectOf(valuesOf(root, "server"));
  const plugins = objectOf(valuesOf(root, "plugins"));
  if (plugins === undefined) {
    const isThere = valuesOf(root, "plugins").length > 0;
    const what = isThere ? "it must be a block, plugins { … }" : "the block is missing";
    return { problems: [`plugins: ${what}; SPIRE needs a KeyManager in it`] };
  }
  // HCL takes a text for JSON by its first character.
  const keyManager = keyManagerOf(plugins, text.trimStart().startsWith("{"));
  if ("problems" in keyManager) return keyManager;
  const names = valuesOf(server, "trust_domain");
  if (names.some((value) => textOf(value) === undefined)) {
    return { problems: ["trust_domain: it must be a string, or SPIRE refuses the file"] };
  }
  return { trustDomain: server && settingOf(server, "trust_domain"), keyManager };
}
