/** Which of the two plugins a KeyManager block means: the name in `server.conf` is only a label for an external one. */
import { basename } from "node:path";
import type { PluginKind } from "./flags.ts";
import type { KeyManagerBlock } from "./server-conf.ts";

const kindOfName = (name: string): PluginKind | undefined =>
  /^aws_kms\b/.test(name) ? "aws_kms" : /^kms\b/.test(name) ? "kms" : undefined;

/** @returns undefined for a plugin that keeps its keys elsewhere */
export function pluginKindOf(
  { name, pluginCmd }: Pick<KeyManagerBlock, "name" | "pluginCmd">,
  settings: readonly string[],
): PluginKind | undefined {
  const byProgram = pluginCmd === undefined ? undefined : kindOfName(basename(pluginCmd));
  const known = byProgram ?? kindOfName(name);
  if (known !== undefined || pluginCmd === undefined) return known;
  const given = new Set(settings.map((setting) => setting.toLowerCase()));
  if (given.has("key_prefix")) return "kms";
  return ["key_identifier_file", "key_identifier_value", "key_metadata_file"].some((setting) => given.has(setting))
    ? "aws_kms"
    : undefined;
}
