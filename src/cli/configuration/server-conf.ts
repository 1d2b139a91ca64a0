/**
 * SPIRE Server's configuration file, as far as a KeyManager plugin is concerned: the trust domain, and the KeyManager that
 * SPIRE would start.
 *
 * Read as SPIRE reads it: names of settings in any letter case, types and names of plugins in exactly one, blocks in any of
 * HCL's forms, exactly one KeyManager that is enabled.
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
}

export interface ServerConf {
  /** As it stands there; undefined when it does not. */
  readonly trustDomain: string | undefined;
  readonly keyManager: KeyManagerBlock;
}

export type ServerConfResult = ServerConf | { readonly problems: readonly string[] };

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

/** SPIRE's decoder takes a number or a truth value where text is wanted. */
function textOf(value: HclValue | undefined): string | undefined {
  if (value?.kind === "string") return value.value;
  if (value?.kind === "number") return value.text;
  return value?.kind === "bool" ? String(Number(value.value)) : undefined;
}

const settingOf = (object: HclObject, name: string): string | undefined => textOf(valuesOf(object, name).at(-1));

function isEnabled(block: HclObject): boolean {
  const value = valuesOf(block, "enabled").at(-1);
  return !(value?.kind === "bool" ? !value.value : textOf(value) === "false");
}

function blockOf(name: string, block: HclObject): KeyManagerBlock {
  const args = valuesOf(block, "plugin_args").at(-1);
  const data = valuesOf(block, "plugin_data");
  return {
    name,
    pluginCmd: settingOf(block, "plugin_cmd") || undefined,
    pluginArgs: args?.kind === "list" ? args.items.flatMap((item) => textOf(item) ?? []) : [],
    pluginChecksum: settingOf(block, "plugin_checksum") || undefined,
    pluginData: objectOf(data),
    pluginDataFile: settingOf(block, "plugin_data_file"),
  };
}

const list = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(", ");

function keyManagerOf(plugins: HclObject): KeyManagerBlock | { readonly problems: readonly string[] } {
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
  const block = blockOf(found.name, found.block);
  if (block.pluginData !== undefined && block.pluginDataFile !== undefined) {
    return { problems: [`KeyManager "${found.name}": only one of plugin_data and plugin_data_file can be used`] };
  }
  return block;
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
    return { problems: [`unable to decode configuration: ${error.message}`] };
  }
  const server = objectOf(valuesOf(root, "server"));
  const plugins = objectOf(valuesOf(root, "plugins"));
  if (plugins === undefined) return { problems: ["plugins: the block is missing; SPIRE needs a KeyManager in it"] };
  const keyManager = keyManagerOf(plugins);
  if ("problems" in keyManager) return keyManager;
  return { trustDomain: server && settingOf(server, "trust_domain"), keyManager };
}
