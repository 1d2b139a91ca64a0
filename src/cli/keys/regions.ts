/** Which Regions a command looks at. */
import { knownRegions } from "../../plugin/settings/regions.ts";

/** What Regions of one partition have in common: an account lives in one partition. */
const partitionOf = (region: string): string =>
  /^(cn|us-gov|us-isob|us-isof|us-iso|eu-isoe|eusc)-/.exec(region)?.[1] ?? "";

/** All Regions beside which `region` stands, itself first. */
export function regionsBeside(region: string): readonly string[] {
  const others = knownRegions.filter((known) => known !== region && partitionOf(known) === partitionOf(region));
  return [region, ...others.toSorted()];
}
