/** The settings about keys in more Regions than one: each by itself, and what they say together. */
import * as v from "valibot";
import { type MultiRegionConfig, singleRegion } from "../../key-manager/config.ts";
import { partitionOf, regionWarning } from "../settings/regions.ts";
import { endpoint, flag, regionName, shown } from "../settings/schemas.ts";

/** KMS itself sets no limit; a typing mistake in a generated file does not make hundreds of replicas of each key. */
const maxRegions = 20;

const listOfRegions = v.pipe(
  v.union(
    // SPIRE's decoder takes one string for a list of one.
    [
      v.array(v.unknown()),
      v.pipe(
        v.string(),
        v.transform((one) => (one === "" ? [] : [one])),
      ),
    ],
    (issue) => `must be a list of Regions, like ["us-west-2"], not ${shown(issue.input)}`,
  ),
  v.check((items) => items.length <= maxRegions, `names more than ${maxRegions} Regions`),
  v.rawTransform(({ dataset, addIssue }): readonly string[] => {
    const regions: string[] = [];
    for (const item of dataset.value) {
      const read = v.safeParse(regionName, item);
      if (!read.success) for (const { message } of read.issues) addIssue({ message });
      else if (read.output === undefined) addIssue({ message: "holds an empty string; remove it" });
      else if (regions.includes(read.output)) addIssue({ message: `names ${read.output} twice; keep one` });
      else regions.push(read.output);
    }
    return regions;
  }),
);

const endpointByRegion = v.record(
  v.string(),
  endpoint,
  (issue) => `must be a map of URLs, like { us-west-2 = "https://kms.example.org" }, not ${shown(issue.input)}`,
);

export const regionSettings = {
  multi_region: v.optional(flag),
  replica_regions: v.optional(listOfRegions),
  failover_regions: v.optional(listOfRegions),
  replica_endpoints: v.optional(endpointByRegion),
  allow_standby_rotation: v.optional(flag),
};

export interface RegionValues {
  readonly region?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly multi_region?: boolean | undefined;
  readonly replica_regions?: readonly string[] | undefined;
  readonly failover_regions?: readonly string[] | undefined;
  readonly replica_endpoints?: Readonly<Record<string, string | undefined>> | undefined;
  readonly allow_standby_rotation?: boolean | undefined;
}

export interface RegionResult {
  readonly config: MultiRegionConfig;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

type RegionList = "replica_regions" | "failover_regions";

function listProblems(name: RegionList, values: RegionValues): string[] {
  const { region: home } = values;
  if (home === undefined) return [];
  return (values[name] ?? []).flatMap((region) => {
    if (region === home) {
      const why = name === "replica_regions" ? "that is where the keys themselves are" : "it is always asked first";
      return [`${name}: names ${region}, which is the region of this server; ${why}, so remove it`];
    }
    const [here, there] = [partitionOf(home), partitionOf(region)];
    if (here === there) return [];
    return [`${name}: names ${region} of partition ${there}, but keys of ${home} stay in partition ${here}; remove it`];
  });
}

/** An endpoint that is one Region's own does not serve another Region. */
const regionOfEndpoint = (url: string): string | undefined =>
  /(?:^|\.)kms(?:-fips)?\.([a-z]+(?:-[a-z]+)+-\d+)\./.exec(URL.canParse(url) ? new URL(url).hostname : "")?.[1];

function endpointProblems(values: RegionValues, asked: readonly string[]): string[] {
  const { endpoint: url, replica_endpoints: byRegion = {} } = values;
  const problems = Object.keys(byRegion)
    .filter((region) => !asked.includes(region))
    .map(
      (region) => `replica_endpoints: names ${shown(region)}, which is in neither replica_regions nor failover_regions`,
    );
  const fixed = url === undefined ? undefined : regionOfEndpoint(url);
  if (fixed === undefined) return problems;
  const without = asked.filter((region) => region !== fixed && byRegion[region] === undefined);
  if (without.length === 0) return problems;
  return [
    ...problems,
    `endpoint: is the endpoint of ${fixed} alone; give the other Regions theirs in replica_endpoints (${without.join(", ")})`,
  ];
}

/** What the settings about Regions say together. */
export function multiRegionOf(values: RegionValues): RegionResult {
  const { multi_region: flagged, replica_regions: replicaRegions = [] } = values;
  const isOn = flagged ?? replicaRegions.length > 0;
  const failoverRegions = values.failover_regions ?? replicaRegions;
  const asked = [...new Set([...replicaRegions, ...failoverRegions])];
  const problems = [
    ...listProblems("replica_regions", values),
    ...listProblems("failover_regions", values),
    ...endpointProblems(values, asked),
  ];
  if (flagged === false && replicaRegions.length > 0) {
    problems.push(
      "replica_regions: set beside multi_region = false, but only multi-Region keys have replicas; remove one of the two",
    );
  }
  const isPrivate = (region: string) =>
    values.endpoint !== undefined || values.replica_endpoints?.[region] !== undefined;
  const warnings = asked
    .filter((region) => !isPrivate(region))
    .flatMap(
      (region) => regionWarning(region, replicaRegions.includes(region) ? "replica_regions" : "failover_regions") ?? [],
    );
  const endpoints = new Map(
    Object.entries(values.replica_endpoints ?? {}).flatMap(([region, url]) =>
      url === undefined ? [] : [[region, url]],
    ),
  );
  const makesKeysOnStandby = values.allow_standby_rotation ?? false;
  return {
    config: { ...singleRegion, isOn, replicaRegions, failoverRegions, endpoints, makesKeysOnStandby },
    problems,
    warnings,
  };
}
