/** Entry of `dist/bin/kms`. Only what the handshake needs is imported here; the rest follows it. */
import { servePlugin } from "../../plugin-sdk/serve-plugin.ts";
import { version } from "../../version.ts";

void servePlugin({
  type: "KeyManager",
  name: "kms",
  version,
  description:
    "Keeps SPIRE Server's signing keys in AWS KMS under the names of the older kms plugin, whose keys it takes over.\nSettings of plugin_data: see docs/kms-plugin.md of spire-aws-kms.",
  load: async (context) => (await import("./plugin.ts")).loadKms(context),
});
