/** What statements are made of: places, conditions, the tag that marks the trust domain's keys. */
import { tagNames } from "../../key-manager/tags/spire-tags.ts";
import type { CommandConfiguration } from "../configuration/configuration.ts";

export interface Statement {
  readonly sid: string;
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Of a key policy. */
  readonly principal?: string;
  readonly conditions?: readonly Condition[];
}

export interface Condition {
  readonly test: string;
  readonly variable: string;
  readonly values: readonly string[];
}

export interface Place {
  readonly partition: string;
  /** Twelve digits, or a placeholder. */
  readonly account: string;
  readonly region: string;
}

export const partitionOf = (region: string): string => {
  if (region.startsWith("cn-")) return "aws-cn";
  if (region.startsWith("us-gov-")) return "aws-us-gov";
  if (region.startsWith("us-isob-")) return "aws-iso-b";
  if (region.startsWith("us-isof-")) return "aws-iso-f";
  if (region.startsWith("eu-isoe-")) return "aws-iso-e";
  if (region.startsWith("us-iso-")) return "aws-iso";
  return region.startsWith("eusc-") ? "aws-eusc" : "aws";
};

export const kmsArn = ({ partition, account }: Place, region: string, name: string): string =>
  `arn:${partition}:kms:${region}:${account}:${name}`;

export const requestedIn = (regions: readonly string[]): Condition => ({
  test: "StringEquals",
  variable: "aws:RequestedRegion",
  values: regions,
});

/** Whether the server writes tags. */
export const usesTags = ({ config }: CommandConfiguration): boolean =>
  config.keyTags.length > 0 || config.tagBasedKeyDiscovery;

/** The tag by which the trust domain's keys can be told from others; the last one is the plugin's own. */
export function markOf({
  config,
  trustDomain,
}: CommandConfiguration): { readonly key: string; readonly value: string } | undefined {
  const [own] = config.keyTags;
  if (own !== undefined) return own;
  return config.tagBasedKeyDiscovery && trustDomain !== undefined
    ? { key: tagNames.trustDomain, value: trustDomain }
    : undefined;
}

/** That a key bears the mark. */
export function markedConditions(configuration: CommandConfiguration): readonly Condition[] {
  const mark = markOf(configuration);
  return mark === undefined
    ? []
    : [{ test: "StringEquals", variable: `aws:ResourceTag/${mark.key}`, values: [mark.value] }];
}
