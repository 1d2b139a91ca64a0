/** What an inventory tells of a key: one row, open for what later commands know besides. */
import type { KeySpec, KeyState } from "../ports.ts";
import type { PruneRule } from "../removal/scans/prune-plan.ts";
import type { KeyMember } from "./key-member.ts";

/**
 * - `in use`: an alias (in tag mode, tags) of a server stands on it, and was refreshed in time
 * - `stale`: the same, and not refreshed for longer than the threshold: no server lives by it any more
 * - `orphaned`: made by a server of the trust domain, and nothing names it
 * - `duplicated`: a second usable key for the id of a server, of which another key is the one in use
 * - `unusable`: named by a server, and it cannot sign: disabled, pending deletion, deleted, of a wrong kind
 * - `pending deletion`: was replaced or pruned, and waits for its end
 * - `foreign`: looks like the trust domain's by its alias, and is not; with `foreign: true`, every other key
 * - `unknown`: a permission is missing to say more
 */
export type KeyClass =
  | "in use"
  | "stale"
  | "orphaned"
  | "duplicated"
  | "unusable"
  | "pending deletion"
  | "foreign"
  | "unknown";

/** What the scans that prune do with the key, by their own rules. */
export type PruneVerdict =
  /** They schedule it for deletion, under this rule. */
  | { readonly kind: "goes"; readonly rule: PruneRule }
  /** They look at it closely and leave it. */
  | { readonly kind: "stays"; readonly reason: string };

export interface KeyRow {
  readonly region: string;
  /** Twelve digits; undefined where only an alias without ARN was seen. */
  readonly account: string | undefined;
  /** KMS's key id. */
  readonly keyId: string;
  readonly arn: string | undefined;
  /** Server id; of the older plugin the key prefix. Undefined for a key that nothing names. */
  readonly serverId: string | undefined;
  /** Whether it is the server that the configuration is about. */
  readonly isOwnServer: boolean;
  readonly spireKeyId: string | undefined;
  /** The alias by which it is found. */
  readonly aliasName: string | undefined;
  /** When that alias was made: for as long there has been a key under the id. */
  readonly aliasCreatedAt: Date | undefined;
  /** All its aliases, of whatever form, as far as they were listed by then. */
  readonly aliases: readonly string[];
  readonly description: string | undefined;
  readonly keySpec: KeySpec | undefined;
  /** SPIRE's key type, such as `ec-p256`; undefined for a spec that is none of SPIRE's. */
  readonly keyType: string | undefined;
  readonly keyState: KeyState | undefined;
  readonly createdAt: Date | undefined;
  /** When its alias, or in tag mode its tags, were last refreshed. */
  readonly refreshedAt: Date | undefined;
  /** When it will be stale, or since when it is; undefined for what cannot get stale. */
  readonly staleAt: Date | undefined;
  readonly deletionDate: Date | undefined;
  /** List price of keeping it, in US dollars. */
  readonly monthlyCostUsd: number;
  /** Regions of a multi-Region key's replicas. */
  readonly replicas: readonly string[];
  /** Where its primary is; undefined for a single-Region key. */
  readonly primaryRegion: string | undefined;
  /** Its members in other Regions, as they are there; none where they were not asked for. */
  readonly members: readonly KeyMember[];
  readonly class: KeyClass;
  /** Why it is of this class, in words. */
  readonly why: string;
  /** Undefined: no scan looks at it. */
  readonly prune: PruneVerdict | undefined;
}

/** AWS KMS's list price of a customer managed key a month; one that waits for its deletion costs nothing. */
export const keyPriceUsd = 1;

const dayMs = 86_400_000;

/** Whole days, rounded down; negative since it is stale. */
export function daysUntilStale({ staleAt }: Pick<KeyRow, "staleAt">, now: Date): number | undefined {
  return staleAt === undefined ? undefined : Math.floor((staleAt.getTime() - now.getTime()) / dayMs);
}
