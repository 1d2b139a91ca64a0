/**
 * What a configuration's server must be allowed, and not more: pure, from settings to statements. docs/iam.md says why each
 * permission is needed.
 */

import { tagNames } from "../../key-manager/tags/spire-tags.ts";
import { trustDomainSegment } from "../../plugin/aws-kms/names.ts";
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

/** Whether the server writes tags. */
export const usesTags = ({ config }: CommandConfiguration): boolean =>
  config.keyTags.length > 0 || config.tagBasedKeyDiscovery;

/** What the server does with single keys. */
export function keyActions(configuration: CommandConfiguration): readonly string[] {
  const { config } = configuration;
  return [
    "kms:CreateAlias",
    ...(config.upkeep === undefined ? [] : ["kms:DeleteAlias"]),
    "kms:DescribeKey",
    ...(config.upkeep === undefined ? [] : ["kms:GetKeyLastUsage"]),
    "kms:GetPublicKey",
    "kms:ScheduleKeyDeletion",
    "kms:Sign",
    ...(usesTags(configuration) ? ["kms:TagResource"] : []),
    "kms:UpdateAlias",
  ];
}

/** The tag by which the trust domain's keys can be told from others; the last one is the plugin's own. */
function markOf({
  config,
  trustDomain,
}: CommandConfiguration): { readonly key: string; readonly value: string } | undefined {
  const [own] = config.keyTags;
  if (own !== undefined) return own;
  return config.tagBasedKeyDiscovery && trustDomain !== undefined
    ? { key: tagNames.trustDomain, value: trustDomain }
    : undefined;
}

/** Aliases that the server makes and moves, and those that its scans delete. */
function aliasResources(configuration: CommandConfiguration, { partition, account, region }: Place) {
  const arn = (name: string) => `arn:${partition}:kms:${region}:${account}:${name}`;
  if (configuration.plugin === "kms")
    return { own: arn(`alias/${configuration.config.keyPrefix}*`), scanned: undefined };
  const all = `alias/SPIRE_SERVER/${trustDomainSegment(configuration.trustDomain)}`;
  return { own: arn(`${all}/${configuration.serverId ?? "*"}/*`), scanned: arn(`${all}/*`) };
}

export interface RoleOfServer {
  readonly roleArn: string;
  /** Whether the plugin can tell the path itself. */
  readonly isPathKnown: boolean;
}

/** The role with a path and without one: which of them it is, is what shall be found out. */
const rolesNamed = (arn: string): readonly string[] => {
  const [, before = "", name = ""] = /^(.*:role\/)(?:.*\/)?([^/]+)$/.exec(arn) ?? [];
  return [`${before}${name}`, `${before}*/${name}`];
};

/** @param role the server's, if it is known */
export function iamStatements(
  configuration: CommandConfiguration,
  place: Place,
  role: RoleOfServer | undefined,
): readonly Statement[] {
  const { config } = configuration;
  const { partition, account, region } = place;
  const mark = markOf(configuration);
  const keys = `arn:${partition}:kms:${region}:${account}:key/*`;
  const aliases = aliasResources(configuration, place);
  const inRegion: Condition = { test: "StringEquals", variable: "aws:RequestedRegion", values: [region] };
  const isMarked: readonly Condition[] =
    mark === undefined ? [] : [{ test: "StringEquals", variable: `aws:ResourceTag/${mark.key}`, values: [mark.value] }];
  const tagged: readonly Condition[] =
    mark === undefined ? [] : [{ test: "StringEquals", variable: `aws:RequestTag/${mark.key}`, values: [mark.value] }];
  const lists = [
    "kms:ListAliases",
    ...(config.upkeep === undefined || config.tagBasedKeyDiscovery ? [] : ["kms:ListKeys"]),
  ];
  // What scans look at has to be described to be known as another's; what is made gets its tags with it.
  const unmarked = ["kms:DescribeKey"];
  const marked = keyActions(configuration).filter(
    (action) => !unmarked.includes(action) && !(mark && action === "kms:TagResource"),
  );
  // A key that is being made with tags is no resource yet: TagResource is asked for "*".
  return [
    {
      sid: "FindKeys",
      actions: [...lists, ...(config.tagBasedKeyDiscovery ? ["tag:GetResources"] : [])],
      resources: ["*"],
      conditions: [inRegion],
    },
    { sid: "LookAtKeys", actions: unmarked, resources: [keys] },
    { sid: "MakeKeys", actions: ["kms:CreateKey"], resources: ["*"], conditions: [inRegion, ...tagged] },
    ...(mark === undefined
      ? []
      : [{ sid: "TagKeys", actions: ["kms:TagResource"], resources: ["*"], conditions: [inRegion] }]),
    { sid: "UseAndScheduleKeys", actions: marked, resources: [keys], conditions: isMarked },
    { sid: "NameKeys", actions: ["kms:CreateAlias", "kms:UpdateAlias"], resources: [aliases.own] },
    ...(config.upkeep === undefined || aliases.scanned === undefined
      ? []
      : [{ sid: "DeleteStaleAliases", actions: ["kms:DeleteAlias"], resources: [aliases.scanned] }]),
    ...(configuration.plugin === "aws_kms" &&
    configuration.config.keyPolicyFile === undefined &&
    role &&
    !role.isPathKnown
      ? [
          {
            sid: "KnowOwnPath",
            actions: ["iam:GetRole"],
            resources: rolesNamed(role.roleArn),
          },
        ]
      : []),
  ].filter(({ actions }) => actions.length > 0);
}

/** A key policy for \`key_policy_file\`: the server's role may use its keys, the account may administer them and not sign. */
export function keyStatements(
  configuration: CommandConfiguration,
  place: Place,
  roleArn: string,
): readonly Statement[] {
  return [
    {
      sid: "SpireServerUsesItsKeys",
      principal: roleArn,
      // KMS makes no key whose policy locks out the one who makes it: PutKeyPolicy must be among what that one may.
      actions: [...keyActions(configuration), "kms:PutKeyPolicy"].toSorted(),
      resources: ["*"],
    },
    {
      sid: "AccountAdministersKeysAndCannotSign",
      principal: `arn:${place.partition}:iam::${place.account}:root`,
      actions: [
        "kms:CancelKeyDeletion",
        "kms:CreateAlias",
        "kms:DeleteAlias",
        "kms:Describe*",
        "kms:DisableKey",
        "kms:EnableKey",
        "kms:Get*",
        "kms:List*",
        "kms:PutKeyPolicy",
        "kms:ScheduleKeyDeletion",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:UpdateAlias",
      ],
      resources: ["*"],
    },
  ];
}
