/** What one call sees: made for every call, so it holds references and makes the rest when it is asked for. */
import { type KeyMaterial, type KeyMaterialSource, restoreMaterial } from "../crypto/key-material.ts";
import type { RoleDirectory } from "../directory/directory.ts";
import type { EmulatorClock } from "../drills/clock.ts";
import { EmulatorError } from "../errors.ts";
import type { OperationContext } from "../framework/context.ts";
import type { Limits } from "../framework/limits.ts";
import type { Identity } from "../identity.ts";
import type { AccessControl, AccessControlSource } from "../policy/access-control.ts";
import { inProcess, type RequestOrigin } from "../policy/access-request.ts";
import type { Random } from "../random.ts";
import type { LastUsage, TrackedOperation } from "../state/last-usage.ts";
import type { MaterialOwner } from "../state/materials.ts";
import type { ImportTokenRecord, KeyRecord, Mutation } from "../state/records.ts";
import { RegionView } from "../state/region-view.ts";
import type { Store } from "../state/store.ts";

/** The same for all calls. */
export interface ContextParts {
  readonly clock: EmulatorClock;
  readonly store: Store;
  readonly random: Random;
  readonly directory: RoleDirectory;
  readonly limits: Limits;
  readonly materials: KeyMaterialSource;
  readonly access: AccessControlSource;
  readonly transitionMs: number;
  readonly hasAwsManagedAliases: boolean;
}

/** Where a call comes from and where it goes. */
export interface CalledBy {
  readonly region: string;
  readonly caller: Identity;
  /** The id that the transport answers with; made up where the call has none. */
  readonly requestId?: string;
  /** Absent: a call in process. */
  readonly origin?: RequestOrigin;
}

/** Methods and getters rather than closures: a call has a dozen of them and needs two or three. */
export class CallContext implements OperationContext {
  readonly account: string;
  readonly region: string;
  readonly caller: Identity;
  readonly view: RegionView;
  readonly origin: RequestOrigin;
  readonly #parts: ContextParts;
  readonly #requestId: string | undefined;
  /** Under a consistency-lag fault: the moment that reads see. */
  readonly #asOfMs: number | undefined;

  constructor(
    parts: ContextParts,
    { region, caller, requestId, origin = inProcess }: CalledBy,
    lagMs: number | undefined,
  ) {
    this.account = caller.account;
    this.region = region;
    this.caller = caller;
    this.origin = origin;
    this.#parts = parts;
    this.#requestId = requestId;
    this.#asOfMs = lagMs === undefined ? undefined : parts.clock.now() - lagMs;
    this.view = new RegionView(parts.store, caller.account, region, this.#asOfMs);
  }

  get random(): Random {
    return this.#parts.random;
  }

  get limits(): Limits {
    return this.#parts.limits;
  }

  get materials(): KeyMaterialSource {
    return this.#parts.materials;
  }

  get access(): AccessControl {
    return this.#parts.access(this.origin);
  }

  get directory(): RoleDirectory {
    return this.#parts.directory;
  }

  get lastUsage(): LastUsage {
    return this.#parts.store.lastUsage;
  }

  get transitionMs(): number {
    return this.#parts.transitionMs;
  }

  get hasAwsManagedAliases(): boolean {
    return this.#parts.hasAwsManagedAliases;
  }

  clock(): number {
    return this.#parts.clock.now();
  }

  viewOf(account: string, region: string): RegionView {
    if (account === this.account && region === this.region) return this.view;
    return new RegionView(this.#parts.store, account, region, this.#asOfMs);
  }

  accountsIn(region: string): Iterable<string> {
    return this.#parts.store.accountsIn(region);
  }

  material(id: string): KeyMaterial | undefined {
    const material = this.#parts.store.material(id);
    return material && restoreMaterial(material);
  }

  ownerOfMaterial(id: string): MaterialOwner | undefined {
    return this.#parts.store.materials.ownerOf(id);
  }

  importToken(tokenId: string): ImportTokenRecord | undefined {
    return this.#parts.store.credentials.importToken(tokenId);
  }

  materialOf(key: KeyRecord): KeyMaterial {
    const material = this.#parts.store.material(key.materialId);
    if (!material) throw new EmulatorError("DATA_FILE_CORRUPT", `no key material ${key.materialId}`);
    return restoreMaterial(material);
  }

  noteUse(key: KeyRecord, operation: TrackedOperation): void {
    const { random, store, clock } = this.#parts;
    const requestId = this.#requestId ?? random.uuid();
    store.lastUsage.note(key, { operation, atMs: clock.now(), eventId: random.uuid(), requestId });
  }

  commit(...mutations: readonly Mutation[]): void {
    this.#parts.store.commit(mutations, this.#parts.clock.now());
  }
}
