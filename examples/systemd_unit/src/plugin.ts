/** Tells SPIRE Agent which systemd unit a process belongs to, by its control group, which no process can choose for itself. */
import { readFile } from "node:fs/promises";
import { hclConfig, type PluginImplementation, StatusError, workloadAttestor } from "spire-plugin-sdk";
import * as v from "valibot";
import { selectorsOf } from "./selectors.ts";

/** A new plugin: SPIRE has one a process, tests have one each. */
export function createPlugin(): PluginImplementation {
  const config = hclConfig({
    schema: v.strictObject({
      /** Where the kernel shows its processes; another in a container that sees the machine's. */
      proc_path: v.optional(v.pipe(v.string(), v.startsWith("/")), "/proc"),
    }),
  });
  return {
    config,
    services: [
      workloadAttestor({
        async attest(pid, { log, signal }) {
          const selectors = selectorsOf(await readGroups(config.current.settings.proc_path, pid, signal));
          log.debug("attested", { pid, selectors });
          return selectors;
        },
      }),
    ],
  };
}

async function readGroups(procPath: string, pid: number, signal: AbortSignal): Promise<string> {
  const file = `${procPath}/${pid}/cgroup`;
  try {
    return await readFile(file, { encoding: "utf8", signal });
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new StatusError("NOT_FOUND", `${file} cannot be read: the process has ended, or is hidden`, { cause });
  }
}
