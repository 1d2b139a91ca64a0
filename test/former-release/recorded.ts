/** What an earlier build has left, as `record.ts` has recorded it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Settings } from "../plugin/harness/settings.ts";

export const recordFolder = fileURLToPath(new URL("record", import.meta.url));

export interface FormerServer {
  readonly program: "aws_kms" | "kms";
  readonly name: string;
  readonly settings: Settings;
}

/** Servers of one trust domain in one account. Paths are relative to the server's working folder. */
export const formerServers: readonly FormerServer[] = [
  { program: "aws_kms", name: "by aliases", settings: { key_identifier_file: "aliases_id" } },
  {
    program: "aws_kms",
    name: "by tags",
    settings: { key_identifier_file: "tags_id", enable_tag_based_key_discovery: true },
  },
  { program: "kms", name: "kms", settings: { key_prefix: "SPIRE_SERVER_KEY/" } },
];

export interface RecordedServer {
  readonly name: string;
  readonly fingerprints: Readonly<Record<string, string>>;
}

export const recordedServers = (): readonly RecordedServer[] =>
  JSON.parse(readFileSync(join(recordFolder, "keys.json"), "utf8")) as readonly RecordedServer[];
