/**
 * Looks at the members of multi-Region keys in their own Regions: KMS tells a key's Regions with the key, the state of each member
 * only there. Mostly one DescribeKey a member, by the alias, which tells where that stands as well.
 */

import { findKey } from "../keys/find-key.ts";
import { arnInRegion, isSameKey } from "../keys/multi-region-key.ts";
import type { KeyNames } from "../names.ts";
import { isKmsError, type KmsClient, type KmsError } from "../ports.ts";
import { BackgroundJobs } from "./background-jobs.ts";
import type { KeyMember } from "./key-member.ts";
import type { KeyRow } from "./key-row.ts";
import {
  isLookedAfterIn,
  isSingleRegion,
  judgeMember,
  listedRegions,
  regionsOfMembers,
  type Sight,
} from "./members.ts";

export interface MemberOptions {
  readonly kmsIn: (region: string) => Pick<KmsClient, "describeKey">;
  /** The Regions that the configuration's server looks after, its own among them. */
  readonly lookedAfter: readonly string[];
  /** So many calls at most; default {@link maxMemberLooks}. */
  readonly maxLooks?: number | undefined;
  /** What was seen already, in other Regions of the same run; added to. */
  readonly known?: Map<string, Sight> | undefined;
}

/** So many calls are made for members without being asked for. */
export const maxMemberLooks = 5_000;

export interface MemberContext {
  readonly names: KeyNames;
  /** Waits until the next call may be made. */
  readonly turn: () => Promise<void>;
  /** A permission is missing in a Region, or it does not answer: told once. */
  readonly onTrouble: (error: KmsError, region: string) => void;
}

const atOnce = 16;

const notLookedAt: Sight = { kind: "unseen", why: "it was not looked at" };

export class MemberLooks {
  readonly #options: MemberOptions;
  readonly #context: MemberContext;
  readonly #troubled = new Map<string, "denied" | "away">();
  readonly #jobs = new BackgroundJobs(atOnce);
  #calls = 0;
  #notLookedAt = 0;

  constructor(options: MemberOptions, context: MemberContext) {
    this.#options = options;
    this.#context = context;
  }

  /** Members that were left out because there would have been too many calls. */
  get notLookedAt(): number {
    return this.#notLookedAt;
  }

  /** Whether the key has members beside this one, or should have. */
  concerns(row: KeyRow): boolean {
    return regionsOfMembers(row, this.#options.lookedAfter).length > 0;
  }

  /** Looks in the background, and tells. */
  look(row: KeyRow, onSeen: (members: readonly KeyMember[]) => void): void {
    this.#jobs.add(async () => onSeen(await this.#members(row)));
  }

  /** Resolves when all that was asked for is told. @throws what stopped it */
  drain(): Promise<void> {
    return this.#jobs.drain();
  }

  async #members(row: KeyRow): Promise<readonly KeyMember[]> {
    const { lookedAfter } = this.#options;
    const { names } = this.#context;
    const members: KeyMember[] = [];
    for (const region of regionsOfMembers(row, lookedAfter)) {
      const sight = await this.#sight(row, region);
      members.push(judgeMember({ row, region, lookedAfter, names, sight }));
    }
    return members;
  }

  async #sight(row: KeyRow, region: string): Promise<Sight> {
    const { known, maxLooks = maxMemberLooks } = this.#options;
    const arn = row.arn === undefined ? undefined : arnInRegion(row.arn, region);
    if (arn === undefined || isSingleRegion(row)) return { kind: "seen", key: undefined, target: undefined };
    const before = known?.get(arn);
    if (before !== undefined) return before;
    if (this.#troubled.get(region) === "away") return { kind: "unseen", why: `KMS in ${region} does not answer` };
    if (this.#calls >= maxLooks) {
      this.#notLookedAt++;
      return notLookedAt;
    }
    const sight = await this.#ask(row, region, arn);
    known?.set(arn, sight);
    return sight;
  }

  async #ask(row: KeyRow, region: string, arn: string): Promise<Sight> {
    // Where the alias stands matters only where the server puts it.
    const aliasName = isLookedAfterIn(row, region, this.#options.lookedAfter) ? row.aliasName : undefined;
    const find = async (keyId: string) => {
      this.#calls++;
      await this.#context.turn();
      return findKey(this.#options.kmsIn(region), keyId);
    };
    try {
      const target = aliasName === undefined ? undefined : await find(aliasName);
      if (target !== undefined && isSameKey(target.arn, arn)) return { kind: "seen", key: target, target };
      // What KMS does not name among the members is not there.
      const key = listedRegions(row).includes(region) ? await find(arn) : undefined;
      return { kind: "seen", key, target };
    } catch (error) {
      if (!isKmsError(error)) throw error;
      const isDenied = error.code === "ACCESS_DENIED";
      if (!this.#troubled.has(region)) this.#context.onTrouble(error, region);
      this.#troubled.set(region, isDenied ? "denied" : "away");
      return {
        kind: "unseen",
        why: isDenied ? `kms:DescribeKey is denied in ${region}` : `KMS in ${region} does not answer`,
      };
    }
  }
}
