/**
 * `plugin_data` as SPIRE hands it over, HCL 1 text or its JSON form, as plain settings.
 *
 * Numbers keep their text, because SPIRE's HCL decoder lets a number stand where a string is wanted (`key_identifier_value = 0042`).
 */
import { attributes, HclError, type HclObject, type HclValue, parseHcl } from "../../hcl/index.ts";

export interface NumberLiteral {
  /** The number as it stood in the text. */
  readonly number: string;
}

export type Setting = string | boolean | NumberLiteral | readonly Setting[] | SettingObject;

export interface SettingObject {
  readonly [key: string]: Setting;
}

/** What `plugin_data` held. */
export interface PluginData {
  /** By name; undefined when the text could not be read at all. */
  readonly settings: SettingObject | undefined;
  /** Met while reading: unparsable text, a setting given twice. */
  readonly problems: readonly string[];
}

/** Block and attribute form, repeated blocks, and JSON's list of objects all mean one object. */
const asObjects = (value: HclValue): readonly HclObject[] | undefined => {
  if (value.kind === "object") return [value];
  if (value.kind !== "list" || value.items.length === 0) return undefined;
  const objects = value.items.filter((item) => item.kind === "object");
  return objects.length === value.items.length ? objects : undefined;
};

/** Of a setting that is given again and again. */
const maxLinesTold = 5;

class SettingsReader {
  readonly problems: string[] = [];

  object(objects: readonly HclObject[], path: string): SettingObject {
    const settings = new Map<string, Setting>();
    const values = new Map<string, HclValue[]>();
    for (const object of objects) {
      for (const [name, found] of attributes(object)) {
        const known = values.get(name);
        if (known === undefined) values.set(name, found);
        else for (const value of found) known.push(value);
      }
    }
    for (const [name, found] of values) settings.set(name, this.#setting(found, `${path}${name}`));
    return Object.fromEntries(settings);
  }

  #setting(values: readonly HclValue[], name: string): Setting {
    const objects = values.map(asObjects);
    const merged = objects.flatMap((object) => object ?? []);
    if (objects.every((object) => object !== undefined)) return this.object(merged, `${name}.`);
    if (values.length > 1) {
      const lines = values.slice(0, maxLinesTold).map((value) => value.position.line);
      const more = values.length > maxLinesTold ? `, and ${values.length - maxLinesTold} times more` : "";
      this.problems.push(`${name}: given more than once (lines ${lines.join(" and ")}${more}); keep one`);
    }
    return this.#scalar(values.at(-1), name);
  }

  #scalar(value: HclValue | undefined, name: string): Setting {
    switch (value?.kind) {
      case "string":
      case "bool":
        return value.value;
      case "number":
        return { number: value.text };
      case "list":
        return value.items.map((item) => this.#setting([item], name));
      default:
        return "";
    }
  }
}

/** As {@link readPluginData}, for what was parsed already. */
export function readSettings(object: HclObject): PluginData {
  const reader = new SettingsReader();
  const settings = reader.object([object], "");
  return { settings, problems: reader.problems };
}

/** Never throws: text that is no HCL is a problem like any other, told with line and column. */
export function readPluginData(text: string): PluginData {
  try {
    return readSettings(parseHcl(text));
  } catch (error) {
    if (!(error instanceof HclError)) throw error;
    return { settings: undefined, problems: [`plugin_data: unable to decode configuration: ${error.message}`] };
  }
}
