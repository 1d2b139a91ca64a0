import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type PrintableObject, printHcl } from "../../src/hcl/index.ts";
import { region } from "../plugin/harness/settings.ts";

/** The executable under test: what `npm run build` makes, not the sources. */
export const kmsCommand = fileURLToPath(new URL("../../dist/bin/kms", import.meta.url));

if (!existsSync(kmsCommand)) throw new Error(`${kmsCommand} is not there; run "npm run build" first`);

/** `plugin_data` of `kms`. */
export function kmsData(settings: PrintableObject = {}): string {
  return printHcl({ region, max_keys_created_per_hour: 0, ...settings });
}
