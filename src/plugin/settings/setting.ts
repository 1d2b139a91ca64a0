/**
 * `plugin_data` as plain data, between the HCL reader and the configuration's rules.
 *
 * Numbers keep their text, because SPIRE's HCL decoder lets a number stand where a string is wanted (`key_identifier_value = 0042`).
 */
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
