/** The `aws_kms` plugin. */
import { parseConfig } from "../key-manager/config.ts";
import { fileProblems, prepareAwsKms } from "../key-manager/configuration.ts";
import { loadKeyManager } from "./key-manager-plugin.ts";

export const loadAwsKms = loadKeyManager({ name: "aws_kms", parse: parseConfig, fileProblems, prepare: prepareAwsKms });
