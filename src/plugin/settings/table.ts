/** Checks settings against a table of them, one entry per setting: known names in, values and problems out. */
import * as v from "valibot";
import { closestName } from "./closest-name.ts";
import type { PluginData } from "./plugin-data.ts";

/** How each setting is read, by its name. */
export type SettingTable = Readonly<Record<string, v.GenericSchema>>;

/** What a table's settings hold once read; a setting that was not given, or is wrong, is absent. */
export type SettingValues<T extends SettingTable> = { readonly [Name in keyof T]?: v.InferOutput<T[Name]> };

export interface CheckedSettings<T extends SettingTable> {
  readonly values: SettingValues<T>;
  /** Names that were given, right or wrong, as the table spells them. */
  readonly given: ReadonlySet<string>;
  /** One sentence each, starting with the setting's name; those met while reading come first. */
  readonly problems: readonly string[];
}

/** A name that is unknown costs a comparison with every known one. */
const maxUnknownTold = 20;

/** SPIRE's decoder matches names without regard to case; the exact spelling wins. */
function canonicalName(name: string, names: readonly string[]): string | undefined {
  return names.includes(name) ? name : names.find((known) => known === name.toLowerCase());
}

function unknownSetting(name: string, names: readonly string[]): string {
  const suggestion = closestName(name, names);
  const advice = suggestion === undefined ? "remove it" : `did you mean \`${suggestion}\`?`;
  return `${name}: unknown setting; ${advice}`;
}

/** @returns undefined when the settings could not be read at all; `pluginData.problems` say why */
export function checkSettings<T extends SettingTable>(
  table: T,
  pluginData: PluginData,
): CheckedSettings<T> | undefined {
  if (pluginData.settings === undefined) return undefined;
  const names = Object.keys(table);
  const problems = [...pluginData.problems];
  const values: Record<string, unknown> = {};
  const given = new Set<string>();
  let unknown = 0;
  for (const [spelling, setting] of Object.entries(pluginData.settings)) {
    const name = canonicalName(spelling, names);
    const schema = name === undefined ? undefined : table[name];
    if (name === undefined || schema === undefined) {
      unknown++;
      if (unknown <= maxUnknownTold) problems.push(unknownSetting(spelling, names));
      continue;
    }
    given.add(name);
    const result = v.safeParse(schema, setting);
    if (result.success) values[name] = result.output;
    else problems.push(...result.issues.map((issue) => `${name}: ${issue.message}`));
  }
  const untold = unknown - maxUnknownTold;
  if (untold > 0) problems.push(`plugin_data: ${untold} more unknown settings; remove them`);
  // Each value came out of the table's own entry of that name.
  return { values: values as SettingValues<T>, given, problems };
}
