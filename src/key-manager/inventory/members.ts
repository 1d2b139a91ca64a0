/** The other members of a multi-Region key, Region by Region: pure, from what KMS shows of each to what it is worth. */
import { arnInRegion } from "../keys/multi-region-key.ts";
import type { KeyNames } from "../names.ts";
import { isPendingDeletion, type KeyMetadata } from "../ports.ts";
import { placeOfAlias } from "../regions/replica-alias.ts";
import { troubleWithReplica } from "../regions/replica-state.ts";
import type { KeyMember } from "./key-member.ts";
import { type KeyRow, keyPriceUsd } from "./key-row.ts";

/** What was seen of a member. */
export type Sight =
  /** `target`: where the key's alias stands in that Region, if it stands anywhere. */
  | { readonly kind: "seen"; readonly key: KeyMetadata | undefined; readonly target: KeyMetadata | undefined }
  | { readonly kind: "unseen"; readonly why: string };

/** The Regions in which the key has members beside the row's, or should have them. */
export function regionsOfMembers(row: KeyRow, lookedAfter: readonly string[]): readonly string[] {
  if (row.class === "foreign") return [];
  const expected = isKept(row) ? lookedAfter : [];
  return [...new Set([...expected, ...listedRegions(row)])].filter((region) => region !== row.region);
}

/** Those that KMS names. */
export const listedRegions = ({ primaryRegion, replicas }: KeyRow): readonly string[] =>
  primaryRegion === undefined ? replicas : [primaryRegion, ...replicas];

export const isSingleRegion = (row: KeyRow): boolean => listedRegions(row).length === 0;

/** Whether the configuration's server brings the key into its other Regions. */
const isKept = ({ isOwnServer, class: cls, aliasName }: KeyRow): boolean =>
  isOwnServer && aliasName !== undefined && (cls === "in use" || cls === "stale");

/** Whether it makes and refreshes the member there. */
export const isLookedAfterIn = (row: KeyRow, region: string, lookedAfter: readonly string[]): boolean =>
  isKept(row) && lookedAfter.includes(region);

export interface MemberQuestion {
  readonly row: KeyRow;
  readonly region: string;
  readonly lookedAfter: readonly string[];
  readonly names: Pick<KeyNames, "trustDomainOf">;
  readonly sight: Sight;
}

type Judgement = Pick<KeyMember, "condition" | "why">;

/** Where the alias ought to stand, too. */
function judgeAlias({ row, names, sight }: MemberQuestion, home: string): Judgement | undefined {
  if (sight.kind !== "seen" || row.arn === undefined) return undefined;
  const place = placeOfAlias(sight.target, { keyArn: row.arn, home, names });
  if (place.kind === "conflict") return { condition: "conflict", why: `its alias there: ${place.reason}` };
  if (place.kind === "superseded") return { condition: "pending", why: "its alias there still stands on an older key" };
  return place.kind === "missing" ? { condition: "pending", why: "it has no alias there yet" } : undefined;
}

function judgeSeen(question: MemberQuestion, isLookedAfter: boolean): Judgement {
  const { row, region, sight } = question;
  if (sight.kind === "unseen") return { condition: "unknown", why: sight.why };
  const home = row.primaryRegion ?? row.region;
  const alias = isLookedAfter ? judgeAlias(question, home) : undefined;
  if (sight.key === undefined) {
    const isHere = row.primaryRegion === row.region;
    const maker = isHere ? "it was not made yet" : `it is for the server in ${home} to make it`;
    return alias?.condition === "conflict" ? alias : { condition: "missing", why: maker };
  }
  const trouble = troubleWithReplica(sight.key, region);
  if (trouble !== undefined) return { condition: "unusable", why: trouble };
  if (sight.key.keyState !== "Enabled") return { condition: "pending", why: `KMS says ${sight.key.keyState}` };
  return alias ?? { condition: "ready", why: undefined };
}

export function judgeMember(question: MemberQuestion): KeyMember {
  const { row, region, lookedAfter, sight } = question;
  const isLookedAfter = isLookedAfterIn(row, region, lookedAfter);
  const key = sight.kind === "seen" ? sight.key : undefined;
  const isSingle = isSingleRegion(row);
  const judgement: Judgement = isSingle
    ? { condition: "single-Region", why: "a single-Region key gets no replica; the next rotation replaces it" }
    : judgeSeen(question, isLookedAfter);
  // KMS names it among the key's members, so it is there, whatever may be seen of it.
  const isThere =
    key === undefined ? sight.kind === "unseen" && listedRegions(row).includes(region) : !isPendingDeletion(key);
  return {
    region,
    arn: isSingle || row.arn === undefined ? undefined : arnInRegion(row.arn, region),
    role: row.primaryRegion === region ? "primary" : "replica",
    isLookedAfter,
    ...judgement,
    keyState: key?.keyState,
    deletionDate: key?.deletionDate,
    monthlyCostUsd: isThere ? keyPriceUsd : 0,
  };
}
