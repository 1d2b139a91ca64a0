/** AWS clients for commands. Import this file lazily: it brings the AWS SDK. */
import { type AwsClients, type ClientConfig, type ClientContext, createAwsClients } from "../aws/clients.ts";
import { AwsOperatorClient } from "../aws/operator-client.ts";
import type { OperatorClient } from "../key-manager/ports.ts";
import { version } from "../version.ts";
import { systemClock } from "./system-clock.ts";

export interface CommandClients extends AwsClients {
  readonly operator: OperatorClient;
}

export function createClients(config: ClientConfig, context: ClientContext = {}): CommandClients {
  // The SDK's advice about Node versions is for who builds this command, not for who runs it.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  let operator: OperatorClient | undefined;
  const clients = createAwsClients(config, systemClock, ["spire-aws-kms", version], {
    ...context,
    onKms(sdk, caller) {
      operator = new AwsOperatorClient(sdk, caller);
    },
  });
  if (operator === undefined) throw new Error("the AWS clients have not told what they call KMS with");
  return { ...clients, operator };
}
