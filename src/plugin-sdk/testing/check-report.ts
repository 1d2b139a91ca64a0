/** What a check has found, and how it is told. */
import type { PluginType } from "../plugin-definition.ts";

/** One thing that was looked at. */
export interface Finding {
  readonly step: string;
  /** `fault`: SPIRE does not stand it. `note`: it does, and the author may want to know. */
  readonly verdict: "good" | "note" | "fault";
  readonly text: string;
  /** What SPIRE would do or log. */
  readonly spire?: string;
}

export interface CheckReport {
  readonly file: string;
  /** What the file's `plugin_checksum` is; undefined if it cannot be read. */
  readonly checksum: string | undefined;
  readonly type: PluginType | undefined;
  readonly findings: readonly Finding[];
  /** Whether nothing was found that SPIRE would not stand. */
  readonly isFit: boolean;
}

const marks = { good: "ok   ", note: "note ", fault: "FAULT" } as const;

/** The report as text for a person, with the block for SPIRE's configuration if the plugin is fit for it. */
export function formatReport({ file, checksum, type, findings, isFit }: CheckReport, name = "my_plugin"): string {
  const lines = findings.flatMap(({ step, verdict, text, spire }) => [
    `${marks[verdict]} ${step}: ${text}`,
    ...(spire === undefined ? [] : [`      ${spire}`]),
  ]);
  if (!isFit) return [...lines, "", `${file} is not fit for SPIRE.`].join("\n");
  return [
    ...lines,
    "",
    `${file} is fit for SPIRE. In its configuration file:`,
    "",
    configurationBlock({ type: type ?? "", name, file, checksum: checksum ?? "" }),
  ].join("\n");
}

/** The block that loads a plugin, for `server.conf` or `agent.conf`. */
export function configurationBlock(plugin: {
  readonly type: string;
  readonly name: string;
  readonly file: string;
  readonly checksum: string;
}): string {
  return `plugins {
    ${plugin.type} "${plugin.name}" {
        plugin_cmd = "${plugin.file}"
        plugin_checksum = "${plugin.checksum}"
        plugin_data {
        }
    }
}`;
}
