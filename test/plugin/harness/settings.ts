import { type PrintableObject, printHcl } from "../../../src/hcl/index.ts";

export type Settings = PrintableObject;

export const region = "us-east-2";

/** What tests configure unless they say otherwise; `undefined` takes a setting out. */
const defaults: Settings = {
  region,
  key_identifier_value: "server",
  // Tests create more keys than a server in a year, and no task of upkeep shall run in their midst.
  max_keys_created_per_hour: 0,
  scan_start_delay: "24h",
};

/** `plugin_data` as SPIRE prints it from its own configuration file. */
export function pluginData(settings: Settings = {}): string {
  return printHcl({ ...defaults, ...settings });
}
