/** The older `kms` plugin. */

import { loadKeyManager } from "../loader.ts";
import { parseKmsConfig, prepareKms } from "./settings.ts";

export const loadKms = loadKeyManager({ name: "kms", parse: parseKmsConfig, preparation: () => prepareKms });
