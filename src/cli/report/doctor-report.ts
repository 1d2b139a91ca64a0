/** What `doctor` finds about the same configuration, without looking at the keys a second time. */
import type { CallCounter } from "../call-counter.ts";
import type { CommandConfiguration } from "../configuration/configuration.ts";
import type { ConfigurationFlags } from "../configuration/flags.ts";
import { examineConfiguration, examineKeys } from "../doctor/examine.ts";
import type { Finding } from "../doctor/finding.ts";
import type { CommandContext } from "../output/run-command.ts";
import type { Look } from "./look.ts";
import type { DoctorReport } from "./report-data.ts";

export interface DoctorReportOptions {
  readonly flags: ConfigurationFlags;
  readonly look: Look;
  readonly calls: CallCounter;
  readonly context: CommandContext;
}

const handshake = {
  what: "whether the plugin starts and shakes hands",
  how: "spire-aws-kms doctor --spire-bin starts it as SPIRE Server does",
};
/** Flags say nothing of the server: neither its files nor who it is. */
const withoutConf = {
  what: "configuration, plugin file and checksum, identifier file, credentials, permissions and key policies",
  how: "--config server.conf tells them; best where SPIRE Server runs, as its user",
};
const keysElsewhere = {
  what: "the keys of the configured Region",
  how: "leave --regions out, or put the configured Region among them",
};

export async function doctorReport(
  configuration: CommandConfiguration,
  { flags, look, calls, context }: DoctorReportOptions,
): Promise<DoctorReport> {
  const { terminal, env, signal } = context;
  const findings: Finding[] = [];
  const tell = (finding: Finding) => findings.push(finding);
  if (configuration.file === undefined) {
    if (look.home === undefined) return { findings, unchecked: [withoutConf, keysElsewhere, handshake] };
    examineKeys(configuration, look.home, tell);
    return { findings, unchecked: [withoutConf, handshake] };
  }
  terminal.status("doctor looks at configuration, permissions and files");
  await examineConfiguration(configuration, flags, {
    env,
    signal,
    calls,
    tell,
    onProgress: (text) => terminal.status(text),
    seen: look.home,
  });
  terminal.endStatus();
  return { findings, unchecked: [handshake] };
}
