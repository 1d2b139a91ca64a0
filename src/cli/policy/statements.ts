/**
 * What a configuration's server must be allowed, and not more: pure, from settings to statements. docs/iam.md says why each
 * permission is needed.
 */

import { trustDomainSegment } from "../../plugin/aws-kms/names.ts";
import type { CommandConfiguration } from "../configuration/configuration.ts";
import { regionStatements } from "./region-statements.ts";
import {
  type Condition,
  kmsArn,
  markedConditions,
  markOf,
  type Place,
  requestedIn,
  type Statement,
  usesTags,
} from "./statement.ts";

/** What the server does with single keys. */
export function keyActions(configuration: CommandConfiguration): readonly string[] {
  const { config } = configuration;
  return [
    "kms:CreateAlias",
    ...(config.upkeep === undefined ? [] : ["kms:DeleteAlias"]),
    "kms:DescribeKey",
    ...(config.upkeep === undefined ? [] : ["kms:GetKeyLastUsage"]),
    "kms:GetPublicKey",
    ...(config.multiRegion.replicaRegions.length === 0 ? [] : ["kms:ReplicateKey"]),
    "kms:ScheduleKeyDeletion",
    "kms:Sign",
    ...(usesTags(configuration) ? ["kms:TagResource"] : []),
    "kms:UpdateAlias",
  ];
}

/** Aliases that the server makes and moves, there and in the Regions of replicas, and those that its scans delete. */
function aliasResources(configuration: CommandConfiguration, place: Place) {
  const { region } = place;
  const { replicaRegions } = configuration.config.multiRegion;
  const own = (name: string) => [region, ...replicaRegions].map((there) => kmsArn(place, there, name));
  if (configuration.plugin === "kms")
    return { own: own(`alias/${configuration.config.keyPrefix}*`), scanned: undefined };
  const all = `alias/SPIRE_SERVER/${trustDomainSegment(configuration.trustDomain)}`;
  return { own: own(`${all}/${configuration.serverId ?? "*"}/*`), scanned: kmsArn(place, region, `${all}/*`) };
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
  const { region } = place;
  const { replicaRegions } = config.multiRegion;
  const mark = markOf(configuration);
  const keys = kmsArn(place, region, "key/*");
  const aliases = aliasResources(configuration, place);
  const inRegion = requestedIn([region]);
  const isMarked = markedConditions(configuration);
  const tagged: readonly Condition[] =
    mark === undefined ? [] : [{ test: "StringEquals", variable: `aws:RequestTag/${mark.key}`, values: [mark.value] }];
  const lists = [
    "kms:ListAliases",
    ...(config.upkeep === undefined || config.tagBasedKeyDiscovery ? [] : ["kms:ListKeys"]),
  ];
  // What scans look at has to be described to be known as another's; what is made gets its tags with it.
  const apart = ["kms:DescribeKey", "kms:ReplicateKey", ...(mark === undefined ? [] : ["kms:TagResource"])];
  const marked = keyActions(configuration).filter((action) => !apart.includes(action));
  const keysToLookAt = [region, ...replicaRegions].map((there) => kmsArn(place, there, "key/*"));
  // A key that is being made with tags is no resource yet: TagResource is asked for "*".
  return [
    {
      sid: "FindKeys",
      actions: [...lists, ...(config.tagBasedKeyDiscovery ? ["tag:GetResources"] : [])],
      resources: ["*"],
      conditions: [inRegion],
    },
    { sid: "LookAtKeys", actions: ["kms:DescribeKey"], resources: keysToLookAt },
    { sid: "MakeKeys", actions: ["kms:CreateKey"], resources: ["*"], conditions: [inRegion, ...tagged] },
    ...(mark === undefined
      ? []
      : [
          {
            sid: "TagKeys",
            actions: ["kms:TagResource"],
            resources: ["*"],
            conditions: [requestedIn([region, ...replicaRegions])],
          },
        ]),
    { sid: "UseAndScheduleKeys", actions: marked, resources: [keys], conditions: isMarked },
    { sid: "NameKeys", actions: ["kms:CreateAlias", "kms:UpdateAlias"], resources: aliases.own },
    ...(config.upkeep === undefined || aliases.scanned === undefined
      ? []
      : [{ sid: "DeleteStaleAliases", actions: ["kms:DeleteAlias"], resources: [aliases.scanned] }]),
    ...regionStatements(configuration, place),
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
        // To bring the primary into another Region, which only an operator does (promote).
        ...(configuration.config.multiRegion.isOn ? ["kms:UpdatePrimaryRegion"] : []),
      ],
      resources: ["*"],
    },
  ];
}
