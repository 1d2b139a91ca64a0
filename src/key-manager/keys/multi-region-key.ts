/** Keys that are one key in several Regions: a primary and its replicas have one id, and ARNs that differ by the Region. */

/** The Region that an ARN names. */
export const regionOfArn = (arn: string): string => arn.split(":")[3] ?? "";

/** The ARN of the same key in another Region. */
export const arnInRegion = (arn: string, region: string): string => arn.split(":").with(3, region).join(":");

/** The id that all members of a multi-Region key share; undefined for a single-Region key. */
const multiRegionId = (arn: string): string | undefined => /:key\/(mrk-[0-9a-zA-Z-]+)$/.exec(arn)?.[1];

export const isMultiRegionKeyId = (keyId: string): boolean => keyId.startsWith("mrk-");

export const isMultiRegionKey = (arn: string): boolean => multiRegionId(arn) !== undefined;

/** Whether two ARNs are of one key, be it in different Regions. */
export function isSameKey(one: string, other: string): boolean {
  if (one === other) return true;
  const id = multiRegionId(one);
  return id !== undefined && id === multiRegionId(other);
}
