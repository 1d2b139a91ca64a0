/** The SDK's client of the tagging API: loaded when tags are searched for the first time, which only tag mode and commands do. */
import {
  GetResourcesCommand,
  type GetResourcesCommandInput,
  ResourceGroupsTaggingAPIClient,
  type ResourceGroupsTaggingAPIClientConfig,
} from "@aws-sdk/client-resource-groups-tagging-api";
import { requirePlainJson } from "./calls/plain-json.ts";
import { withholdCredentials } from "./credentials/withhold-credentials.ts";

/** Sends one request. */
export type GetResources = (
  input: GetResourcesCommandInput,
  options: { readonly abortSignal: AbortSignal },
) => Promise<unknown>;

export const getResourcesBy =
  (sdk: ResourceGroupsTaggingAPIClient): GetResources =>
  (input, options) =>
    sdk.send(new GetResourcesCommand(input), options);

export interface OpenTagging {
  readonly getResources: GetResources;
  close(): void;
}

export function openTagging(config: ResourceGroupsTaggingAPIClientConfig): OpenTagging {
  const sdk = new ResourceGroupsTaggingAPIClient(config);
  withholdCredentials(sdk);
  requirePlainJson(sdk);
  return { getResources: getResourcesBy(sdk), close: () => sdk.destroy() };
}
