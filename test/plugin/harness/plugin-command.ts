import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The executable under test: what `npm run build` makes, not the sources. */
export const pluginCommand = fileURLToPath(new URL("../../../dist/bin/aws_kms", import.meta.url));

if (!existsSync(pluginCommand)) throw new Error(`${pluginCommand} is not there; run "npm run build" first`);
