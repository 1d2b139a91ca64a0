/** The Regions that AWS had when this was written. One that is not among them may be new or a stack's own, so it is only remarked. */
import { closestName } from "./closest-name.ts";

/** Of every partition; the list of the AWS SDK, which a test holds against it. */
export const knownRegions: readonly string[] = [
  ..."af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-south-2".split(" "),
  ..."ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7".split(
    " ",
  ),
  ..."ca-central-1 ca-west-1 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2".split(" "),
  ..."eu-west-3 il-central-1 me-central-1 me-south-1 me-west-1 mx-central-1 sa-east-1 sa-west-1".split(" "),
  ..."us-east-1 us-east-2 us-west-1 us-west-2 cn-north-1 cn-northwest-1 eusc-de-east-1".split(" "),
  ..."us-iso-east-1 us-iso-west-1 us-isob-east-1 us-isob-west-1 eu-isoe-west-1 us-isof-east-1 us-isof-south-1".split(
    " ",
  ),
  ..."us-gov-east-1 us-gov-west-1".split(" "),
];

/** The part of AWS that a Region belongs to, by the form of its name: keys do not leave it. */
export function partitionOf(region: string): string {
  const [, part] = /^(cn|us-gov|us-iso[a-z]?|eu-isoe|eusc)-/.exec(region) ?? [];
  return part === undefined ? "aws" : `aws-${part}`;
}

/**
 * What to say of a Region; undefined when AWS has it.
 *
 * @param setting where it is named
 */
export function regionWarning(region: string, setting = "region"): string | undefined {
  if (knownRegions.includes(region)) return undefined;
  const names = knownRegions.map((name) => name.replaceAll("-", "_"));
  const closest = closestName(region, names)?.replaceAll("_", "-");
  const guess = closest === undefined ? "" : `; did you mean ${closest}?`;
  return `${setting}: "${region}" is no Region that this version knows of, so keys may be looked for in the wrong place${guess}`;
}
