/** What lies on the disk: the plugin's executable, the identifier file, the key policy, server.conf itself. */
import { accessSync, closeSync, constants, openSync, readSync, type Stats, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileProblems } from "../../plugin/aws-kms/preparation.ts";
import { errnoOf, SettingFiles } from "../../plugin/settings/setting-files.ts";
import { sha256OfFile } from "../../plugin-sdk/index.ts";
import type { CommandConfiguration } from "../configuration/configuration.ts";
import type { KeyManagerBlock } from "../configuration/server-conf.ts";
import { systemClock } from "../system-clock.ts";
import type { Findings } from "./finding.ts";

const modeOf = ({ mode }: Stats): string => (mode & 0o777).toString(8).padStart(4, "0");
const isOpenToAll = ({ mode }: Stats): boolean => (mode & 0o022) !== 0;

const may = (path: string, mode: number): boolean => {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false;
  }
};

/** Node.js on the PATH, for an executable that brings none. */
function checkNode(path: string, findings: Findings): void {
  const head = Buffer.alloc(4);
  const file = openSync(path, "r");
  try {
    readSync(file, head, 0, 4, 0);
  } finally {
    closeSync(file);
  }
  if (head.toString("latin1") === "\u007fELF" || [0xcffaedfe, 0xfeedfacf].includes(head.readUInt32BE(0))) {
    findings.ok("the executable needs no Node.js beside it");
    return;
  }
  findings.ok(
    `Node.js ${process.versions.node} runs this command; the plugin takes the node on SPIRE Server's PATH (${process.execPath} here)`,
  );
}

async function checkChecksum(path: string, configured: string | undefined, findings: Findings): Promise<void> {
  const actual = await sha256OfFile(path);
  const remedy = `set plugin_checksum = "${actual}", once you know that this is the file you installed`;
  if (configured === undefined) {
    findings.warning(
      "plugin_checksum is not set: whoever can write the plugin's file can run code as SPIRE Server",
      remedy,
    );
  } else if (!/^[0-9a-f]{64}$/i.test(configured)) {
    findings.problem(
      "plugin_checksum is no SHA-256 of 64 hexadecimal digits: SPIRE Server refuses to start the plugin",
      remedy,
    );
  } else if (configured.toLowerCase() !== actual) {
    findings.problem(`plugin_checksum is not the file's: SPIRE Server refuses to start ${path}`, remedy);
  } else findings.ok("plugin_checksum is the file's");
}

/** The executable that SPIRE Server starts. */
export async function checkPluginFile(block: KeyManagerBlock | undefined, findings: Findings): Promise<void> {
  if (block === undefined) return;
  const { name, pluginCmd, pluginChecksum } = block;
  if (pluginCmd === undefined) {
    const set = "set plugin_cmd to this plugin's executable (spire-aws-kms checksum prints the block)";
    if (name === "aws_kms")
      findings.warning("plugin_cmd is not set: SPIRE Server runs its built-in aws_kms, not this plugin", set);
    else findings.problem(`plugin_cmd is not set, and SPIRE Server has no built-in KeyManager "${name}"`, set);
    return;
  }
  const path = resolve(pluginCmd);
  let stats: Stats;
  try {
    stats = statSync(path);
  } catch (error) {
    findings.problem(
      `plugin_cmd ${pluginCmd} cannot be found: ${errnoOf(error)}`,
      "install the plugin there, or set plugin_cmd; a relative path starts from SPIRE Server's working folder (--chdir)",
    );
    return;
  }
  if (!stats.isFile()) {
    findings.problem(`plugin_cmd ${pluginCmd} is no file`, "set plugin_cmd to the plugin's executable");
    return;
  }
  if (!may(path, constants.R_OK | constants.X_OK)) {
    findings.problem(
      `${path} cannot be executed (mode ${modeOf(stats)})`,
      `chmod 0755 ${path}, and let SPIRE Server's user into its folders`,
    );
    return;
  }
  if (isOpenToAll(stats))
    findings.warning(`${path} can be written by others (mode ${modeOf(stats)})`, `chmod 0755 ${path}`);
  else findings.ok(`${path} is there (mode ${modeOf(stats)})`);
  checkNode(path, findings);
  await checkChecksum(path, pluginChecksum, findings);
}

/** The identifier file and the key policy. */
export async function checkSettingFiles(configuration: CommandConfiguration, findings: Findings): Promise<void> {
  if (configuration.plugin === "kms" || configuration.file === undefined) return;
  const { config, serverId } = configuration;
  const problems = await fileProblems(config, new SettingFiles({ clock: systemClock }));
  for (const problem of problems) findings.problem(problem, "see the message; nothing is made before that");
  const { identity, keyPolicyFile } = config;
  if (keyPolicyFile !== undefined && !problems.some((problem) => problem.startsWith("key_policy_file"))) {
    findings.ok(`key_policy_file ${keyPolicyFile} is a JSON object of good length`);
  }
  if (identity.kind === "value") {
    findings.ok(`the server id is ${identity.value} (key_identifier_value)`);
    return;
  }
  if (problems.length > 0) return;
  const { path, setting } = identity;
  if (serverId !== undefined) {
    const stats = statSync(path);
    if (isOpenToAll(stats))
      findings.warning(
        `${setting} ${path} can be written by others (mode ${modeOf(stats)}): a changed id makes a new CA`,
        `chmod 0600 ${path}`,
      );
    else findings.ok(`${setting} ${path} holds server id ${serverId}`);
    return;
  }
  const folder = dirname(resolve(path));
  if (may(folder, constants.W_OK)) {
    findings.warning(
      `${setting} ${path} is not there: the next start makes a new server id, and new keys`,
      "right for a new server; for one that had keys, restore its file first",
    );
  } else {
    findings.problem(
      `${setting} ${path} is not there and cannot be made: ${folder} cannot be written`,
      `let SPIRE Server's user write ${folder}`,
    );
  }
}

/** Secrets in a file that others can read. */
export function checkConfFile({ file, config }: CommandConfiguration, findings: Findings): void {
  if (file === undefined) return;
  const stats = statSync(file);
  if (config.credentials !== undefined) {
    const remedy = "use a role (IRSA, Pod Identity, an instance role) instead of keys";
    if ((stats.mode & 0o044) !== 0)
      findings.warning(
        `${file} holds AWS keys and can be read by others (mode ${modeOf(stats)})`,
        `chmod 0600 ${file}; better, ${remedy}`,
      );
    else findings.ok(`${file} holds AWS keys and can be read by its owner alone`);
  }
  if ((stats.mode & 0o002) !== 0)
    findings.warning(`${file} can be written by everyone (mode ${modeOf(stats)})`, `chmod o-w ${file}`);
}
