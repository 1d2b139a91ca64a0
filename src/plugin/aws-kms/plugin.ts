/** The `aws_kms` plugin. */

import { loadKeyManager } from "../loader.ts";
import { SettingFiles } from "../settings/setting-files.ts";
import { systemClock } from "../system-clock.ts";
import { awsKmsPreparation, fileProblems } from "./preparation.ts";
import { parseConfig } from "./settings.ts";

/** Of the process: what hangs for Validate hangs for Configure. */
const files = new SettingFiles({ clock: systemClock });

export const loadAwsKms = loadKeyManager({
  name: "aws_kms",
  parse: parseConfig,
  fileProblems: (config) => fileProblems(config, files),
  preparation: (options) => awsKmsPreparation({ ...options, files }),
});
