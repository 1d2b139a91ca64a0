/** Which Regions a command looks at. */
import { knownRegions } from "../../plugin/settings/regions.ts";
import { isRegionName } from "../../plugin/settings/schemas.ts";
import { UsageError } from "../output/run-command.ts";

/** What Regions of one partition have in common: an account lives in one partition. */
const partitionOf = (region: string): string =>
  /^(cn|us-gov|us-isob|us-isof|us-iso|eu-isoe|eusc)-/.exec(region)?.[1] ?? "";

/** All Regions beside which `region` stands, itself first. */
export function regionsBeside(region: string): readonly string[] {
  const others = knownRegions.filter((known) => known !== region && partitionOf(known) === partitionOf(region));
  return [region, ...others.toSorted()];
}

export interface RegionFlags {
  readonly allRegions?: boolean;
  readonly regions?: string;
}

/** @param home the configured Region */
export function regionsFor({ allRegions, regions }: RegionFlags, home: string): readonly string[] {
  if (allRegions) return regionsBeside(home);
  if (regions === undefined) return [home];
  const given = regions
    .split(",")
    .map((region) => region.trim())
    .filter((region) => region !== "");
  const wrong = given.find((region) => !isRegionName(region));
  if (wrong !== undefined || given.length === 0) {
    throw new UsageError(
      `--regions: ${JSON.stringify(wrong ?? regions)} is no code of an AWS Region; write them like us-east-2,eu-west-1`,
    );
  }
  return [...new Set(given)];
}
