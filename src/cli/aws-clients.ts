/** AWS clients for commands; the SDK is loaded only by those that need it. */
import type { AwsClients, ClientConfig } from "../aws/clients.ts";
import { version } from "../version.ts";
import { systemClock } from "./system-clock.ts";

export async function loadAwsClients(config: ClientConfig): Promise<AwsClients> {
  // The SDK's advice about Node versions is for who builds this command, not for who runs it.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const { createAwsClients } = await import("../aws/clients.ts");
  return createAwsClients(config, systemClock, ["spire-aws-kms", version]);
}
