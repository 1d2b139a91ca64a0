/**
 * The shared files as AWS's SDK sees them: read within our limits. Every client of the SDK reads them for its settings, and a
 * pipe in their place would hold each call for ever, and the end of the process with it.
 */
import { externalDataInterceptor } from "@smithy/core/config";
import type { ReadText } from "./limited-file.ts";
import { type Environment, sharedFilePaths } from "./shared-files.ts";

/** From now on the SDK sees these files as they are at this moment; one that cannot be read is empty, as it has it itself. */
export function showSharedFiles(env: Environment, readText: ReadText): void {
  const { config, credentials } = sharedFilePaths(env);
  const shown = externalDataInterceptor.getFileRecord();
  for (const path of [config, credentials]) {
    if (path !== undefined) shown[path] = readText(path).catch(() => "");
  }
}
