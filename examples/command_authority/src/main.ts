/** The program that SPIRE starts. The plugin itself is loaded once SPIRE has its answer. */
import { servePlugin } from "spire-plugin-sdk";

await servePlugin({
  type: "UpstreamAuthority",
  name: "command_authority",
  version: "0.1.0",
  description: "Has SPIRE Server's CA signed by a command of the operator's.",
  load: async () => (await import("./plugin.ts")).createPlugin(),
});
