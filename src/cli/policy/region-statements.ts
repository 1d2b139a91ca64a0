/** What keys in more Regions than one need besides: for the server, and for who promotes a standby. docs/multi-region.md says why. */
import type { CommandConfiguration } from "../configuration/configuration.ts";
import { kmsArn, markedConditions, type Place, requestedIn, type Statement } from "./statement.ts";

/** KMS keeps members in step by a role of its own, which the first multi-Region key of an account makes. */
const serviceLinkedRole = ({ partition, account }: Place): Statement => ({
  sid: "LetKmsKeepReplicasInStep",
  actions: ["iam:CreateServiceLinkedRole"],
  resources: [
    `arn:${partition}:iam::${account}:role/aws-service-role/mrk.kms.amazonaws.com/AWSServiceRoleForKeyManagementServiceMultiRegionKeys`,
  ],
  conditions: [{ test: "StringEquals", variable: "iam:AWSServiceName", values: ["mrk.kms.amazonaws.com"] }],
});

/** What the server does with replicas. */
function replicaStatements(configuration: CommandConfiguration, place: Place): readonly Statement[] {
  const { config } = configuration;
  const { replicaRegions } = config.multiRegion;
  if (replicaRegions.length === 0) return [];
  const conditions = markedConditions(configuration);
  return [
    {
      sid: "ReplicateKeys",
      actions: ["kms:ReplicateKey"],
      resources: [kmsArn(place, place.region, "key/*")],
      conditions: [...conditions, { test: "StringEquals", variable: "kms:ReplicaRegion", values: replicaRegions }],
    },
    // ReplicateKey is asked in the key's own Region, and is a CreateKey in the replica's.
    {
      sid: "MakeReplicas",
      actions: ["kms:CreateKey"],
      resources: ["*"],
      conditions: [requestedIn([place.region, ...replicaRegions])],
    },
    {
      sid: "FindReplicas",
      actions: ["kms:ListAliases"],
      resources: ["*"],
      conditions: [requestedIn(replicaRegions)],
    },
    {
      sid: "NameAndScheduleReplicas",
      actions: [
        "kms:CreateAlias",
        ...(config.upkeep === undefined ? [] : ["kms:GetKeyLastUsage"]),
        "kms:GetPublicKey",
        "kms:ScheduleKeyDeletion",
        "kms:UpdateAlias",
      ],
      resources: replicaRegions.map((region) => kmsArn(place, region, "key/*")),
      conditions,
    },
  ];
}

/** A start while KMS fails at home looks for keys where others make the replicas as well. */
function startStatements({ config }: CommandConfiguration, place: Place): readonly Statement[] {
  const { replicaRegions, failoverRegions } = config.multiRegion;
  const others = failoverRegions.filter((region) => !replicaRegions.includes(region));
  if (others.length === 0) return [];
  return [
    { sid: "FindKeysElsewhere", actions: ["kms:ListAliases"], resources: ["*"], conditions: [requestedIn(others)] },
    {
      sid: "LookAtKeysElsewhere",
      actions: ["kms:DescribeKey", "kms:GetPublicKey"],
      resources: others.map((region) => kmsArn(place, region, "key/*")),
    },
  ];
}

export function regionStatements(configuration: CommandConfiguration, place: Place): readonly Statement[] {
  const { isOn, failoverRegions } = configuration.config.multiRegion;
  return [
    ...replicaStatements(configuration, place),
    ...startStatements(configuration, place),
    ...(failoverRegions.length === 0
      ? []
      : [
          {
            sid: "SignInOtherRegions",
            actions: ["kms:Sign"],
            resources: failoverRegions.map((region) => kmsArn(place, region, "key/*")),
            conditions: markedConditions(configuration),
          },
        ]),
    ...(isOn ? [serviceLinkedRole(place)] : []),
  ];
}

/** What `promote` needs, run with this configuration: for an operator, not for the server. */
export function promotionStatements(configuration: CommandConfiguration, place: Place): readonly Statement[] {
  const { replicaRegions } = configuration.config.multiRegion;
  // Where the primary keys are now, KMS tells: one of the others.
  const regions = replicaRegions.length === 0 ? ["*"] : [place.region, ...replicaRegions];
  const keys = regions.map((region) => kmsArn(place, region, "key/*"));
  return [
    {
      sid: "FindKeys",
      actions: ["kms:ListAliases"],
      resources: ["*"],
      conditions: [requestedIn([place.region])],
    },
    { sid: "LookAtKeys", actions: ["kms:DescribeKey"], resources: keys },
    {
      sid: "MovePrimaryKeys",
      actions: ["kms:UpdatePrimaryRegion"],
      resources: keys,
      conditions: markedConditions(configuration),
    },
  ];
}
