/** `spire-plugin-sdk bundle`: one file that is the plugin, its checksum, and the block that loads it. */

import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { PluginType } from "../plugin-definition.ts";
import { configurationBlock } from "../testing/check-report.ts";
import { bundleText } from "./bundle.ts";
import { executableText } from "./executable-text.ts";

export interface Target {
  readonly entry: string;
  readonly out: string;
  /** Default: the name of the file. */
  readonly name: string | undefined;
  readonly type: PluginType | undefined;
}

/** @returns what to tell the author */
export async function buildExecutable(target: Target): Promise<string> {
  const body = await bundleText(target.entry);
  return writeExecutable(target, executableText({ name: nameOf(target), body }));
}

/** Text goes into shell, JavaScript and JSON: a name is of letters, digits, `_`, `-` and dots. */
export function nameOf({ name, out }: Target): string {
  const found = name ?? path.basename(out);
  if (/^[\w.-]+$/.test(found)) return found;
  throw new Error(`"${found}" is no name for a plugin: letters, digits, "_", "-" and "." are allowed; give --name`);
}

/** Renamed into place: the file of a plugin that runs is never changed under it. */
export function writeExecutable(target: Target, content: string | Uint8Array): string {
  const file = path.resolve(target.out);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, content);
  chmodSync(`${file}.new`, 0o755);
  renameSync(`${file}.new`, file);
  return describeExecutable(target, file);
}

export function describeExecutable(target: Target, file: string): string {
  const checksum = createHash("sha256").update(readFileSync(file)).digest("hex");
  writeFileSync(`${file}.sha256`, `${checksum}  ${path.basename(file)}\n`);
  if (target.type === undefined) return `${file}\nsha256 ${checksum}`;
  const block = configurationBlock({ type: target.type, name: nameOf(target), file, checksum });
  writeFileSync(`${file}.conf`, `${block}\n`);
  return `${file}\nsha256 ${checksum}\n\n${block}`;
}
