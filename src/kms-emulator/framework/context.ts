/** What an operation gets beside its input: who calls, where, and everything that it may read or change. */
import type { KeyMaterial, KeyMaterialSource } from "../crypto/key-material.ts";
import type { RoleDirectory } from "../directory/directory.ts";
import type { Identity } from "../identity.ts";
import type { AccessControl } from "../policy/access-control.ts";
import type { RequestOrigin } from "../policy/access-request.ts";
import type { Random } from "../random.ts";
import type { LastUsage, TrackedOperation } from "../state/last-usage.ts";
import type { ImportTokenRecord, KeyRecord, Mutation } from "../state/records.ts";
import type { RegionView } from "../state/region-view.ts";
import type { Limits } from "./limits.ts";

/** Everything an operation may know or touch. */
export interface OperationContext {
  readonly account: string;
  readonly region: string;
  readonly caller: Identity;
  readonly random: Random;
  readonly limits: Limits;
  readonly materials: KeyMaterialSource;
  readonly access: AccessControl;
  readonly origin: RequestOrigin;
  readonly directory: RoleDirectory;
  readonly lastUsage: LastUsage;
  /** The caller's own account in the called Region. */
  readonly view: RegionView;
  /** How long a new replica stays in Creating, and both ends of UpdatePrimaryRegion in Updating. */
  readonly transitionMs: number;
  readonly hasAwsManagedAliases: boolean;
  clock(): number;
  viewOf(account: string, region: string): RegionView;
  /** Accounts that have something in this Region. */
  accountsIn(region: string): Iterable<string>;
  /** The current material of a key. */
  materialOf(key: KeyRecord): KeyMaterial;
  /** Undefined if no key has it. */
  material(id: string): KeyMaterial | undefined;
  /** Which key a material belongs to; the members of a multi-Region set share it. */
  ownerOfMaterial(id: string): { readonly account: string; readonly keyId: string } | undefined;
  importToken(tokenId: string): ImportTokenRecord | undefined;
  /** To be called once a cryptographic operation has succeeded. */
  noteUse(key: KeyRecord, operation: TrackedOperation): void;
  commit(...mutations: readonly Mutation[]): void;
}
