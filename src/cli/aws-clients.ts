/** AWS clients for commands. Import this file lazily: it brings the AWS SDK. */
import { type AwsClients, type ClientConfig, type ClientContext, createAwsClients } from "../aws/clients.ts";
import { AwsOperatorClient } from "../aws/operator-client.ts";
import type { OperatorClient } from "../key-manager/ports.ts";
import { version } from "../version.ts";
import { ConfigurationError } from "./configuration/configuration.ts";
import { systemClock } from "./system-clock.ts";

export interface CommandClients extends AwsClients {
  readonly operator: OperatorClient;
}

const endpointVariables = [
  "AWS_ENDPOINT_URL",
  "AWS_ENDPOINT_URL_KMS",
  "AWS_ENDPOINT_URL_STS",
  "AWS_ENDPOINT_URL_IAM",
  "AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API",
];

const isHttpUrl = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

/** The SDK would say that a URL is wrong, and not which. */
function requireEndpoints(env: Readonly<Record<string, string | undefined>>): void {
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS?.toLowerCase() === "true") return;
  const problems = endpointVariables.flatMap((name) => {
    const value = env[name];
    if (value === undefined || value === "" || isHttpUrl(value)) return [];
    return [`${name}: it is no http:// or https:// URL, like http://127.0.0.1:4566; set it anew or unset it`];
  });
  if (problems.length > 0) throw new ConfigurationError(problems);
}

export function createClients(config: ClientConfig, context: ClientContext = {}): CommandClients {
  requireEndpoints(process.env);
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
