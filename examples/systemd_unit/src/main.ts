/** The program that SPIRE starts. The plugin itself is loaded once SPIRE has its answer. */
import { servePlugin } from "spire-plugin-sdk";

await servePlugin({
  type: "WorkloadAttestor",
  name: "systemd_unit",
  version: "0.1.0",
  description: "Tells SPIRE Agent which systemd unit a process belongs to.",
  load: async () => (await import("./plugin.ts")).createPlugin(),
});
