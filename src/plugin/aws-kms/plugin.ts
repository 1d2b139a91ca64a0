/** The `aws_kms` plugin. */

import { loadKeyManager } from "../loader.ts";
import { awsKmsPreparation, fileProblems } from "./preparation.ts";
import { parseConfig } from "./settings.ts";

export const loadAwsKms = loadKeyManager({
  name: "aws_kms",
  parse: parseConfig,
  fileProblems,
  preparation: awsKmsPreparation,
});
