/** AWS clients for commands. Import this file lazily: it brings the AWS SDK. */
import { type AwsClients, type ClientConfig, type ClientContext, createAwsClients } from "../aws/clients.ts";
import { version } from "../version.ts";
import { systemClock } from "./system-clock.ts";

export function createClients(config: ClientConfig, context: ClientContext = {}): AwsClients {
  // The SDK's advice about Node versions is for who builds this command, not for who runs it.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  return createAwsClients(config, systemClock, ["spire-aws-kms", version], context);
}
