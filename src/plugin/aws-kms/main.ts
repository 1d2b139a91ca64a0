/** Entry of `dist/bin/aws_kms`. Only what the handshake needs is imported here; the rest follows it. */
import { servePlugin } from "../../plugin-sdk/serve-plugin.ts";
import { version } from "../../version.ts";

void servePlugin({
  type: "KeyManager",
  name: "aws_kms",
  version,
  description:
    "Keeps SPIRE Server's signing keys in AWS KMS: the private keys never leave it.\nSettings of plugin_data: see docs/configuration.md of spire-aws-kms.",
  load: async (context) => (await import("./plugin.ts")).loadAwsKms(context),
});
