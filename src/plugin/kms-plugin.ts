/** The older `kms` plugin. */
import { parseKmsConfig, prepareKms } from "../key-manager/kms-config.ts";
import { loadKeyManager } from "./key-manager-plugin.ts";

export const loadKms = loadKeyManager({ name: "kms", parse: parseKmsConfig, prepare: prepareKms });
