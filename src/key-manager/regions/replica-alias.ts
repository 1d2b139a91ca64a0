/** Where the alias of a key stands in another Region, and what may be done about it there. Pure. */
import { isSameKey } from "../keys/multi-region-key.ts";
import type { KeyNames } from "../names.ts";
import { isPendingDeletion, type KeyMetadata } from "../ports.ts";

export type AliasPlace =
  /** No alias of this name. */
  | { readonly kind: "missing" }
  /** It stands on the replica. */
  | { readonly kind: "ours" }
  /** On a key that this server has replaced: it may be moved. */
  | { readonly kind: "superseded" }
  /** On a key that is not this server's to replace. */
  | { readonly kind: "conflict"; readonly reason: string };

export interface AliasQuestion {
  /** The key in use at home. */
  readonly keyArn: string;
  readonly home: string;
  readonly names: Pick<KeyNames, "trustDomainOf">;
}

/**
 * A replica whose primary is in our Region was put there by a server of our Region, and which key is in use among those is told
 * by the alias at home. Anything else was put there by another: a server that is active there, or an operator.
 */
export function placeOfAlias(target: KeyMetadata | undefined, { keyArn, home, names }: AliasQuestion): AliasPlace {
  if (target === undefined) return { kind: "missing" };
  if (isSameKey(target.arn, keyArn)) return { kind: "ours" };
  if (names.trustDomainOf(target.description) === "foreign") {
    const description = JSON.stringify(target.description);
    return {
      kind: "conflict",
      reason: `it stands on a key of the description ${description}, which is not this server's`,
    };
  }
  if (isPendingDeletion(target)) return { kind: "superseded" };
  const { multiRegion } = target;
  if (multiRegion?.isReplica && multiRegion.primaryRegion === home) return { kind: "superseded" };
  const what =
    multiRegion === undefined
      ? "a single-Region key"
      : `a multi-Region key whose primary is in ${multiRegion.primaryRegion ?? "a Region that KMS does not tell"}`;
  return { kind: "conflict", reason: `it stands on ${what}, which another server has made` };
}
