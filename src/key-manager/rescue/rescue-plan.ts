/**
 * How a key that is scheduled for deletion comes back to use: pure, from what KMS shows to steps.
 *
 * KMS leaves a rescued key disabled, and without the alias that pruning took. An enabled key without an alias meets the
 * rules of the scans again, so the alias comes first and enabling last.
 */
import { troubleWith } from "../discovery/alias-discovery.ts";
import type { KeyNames } from "../names.ts";
import { isPendingDeletion, type KeyMetadata, type Tag } from "../ports.ts";
import { spireTags, type TagIdentity, tagNames } from "../tags/spire-tags.ts";

export type RescueStep =
  | { readonly kind: "cancel deletion" }
  | { readonly kind: "create alias"; readonly aliasName: string }
  | { readonly kind: "move alias"; readonly aliasName: string; readonly movedFrom: string }
  | { readonly kind: "tag"; readonly tags: readonly Tag[] }
  | { readonly kind: "enable" };

/** The alias that a server finds the key by. */
export interface WantedAlias {
  readonly aliasName: string;
  /** `server`: a server finds the key by it. `protection`: no server does, and no scan takes the key. */
  readonly purpose: "server" | "protection";
  readonly identity: TagIdentity | undefined;
  readonly spireKeyId: string | undefined;
}

export interface RescueFacts {
  readonly key: KeyMetadata;
  readonly aliases: readonly string[];
  readonly tags: ReadonlyMap<string, string>;
  readonly wanted: WantedAlias;
  /** The key that the wanted alias stands on; undefined: there is no such alias. */
  readonly target: KeyMetadata | undefined;
  /** KMS's time. */
  readonly now: Date;
  readonly isTagMode: boolean;
}

export interface RescuePlan {
  readonly steps: readonly RescueStep[];
  /** Why it may not be done. */
  readonly refusals: readonly string[];
}

function whyNot({ key, wanted, target }: RescueFacts, names: KeyNames): readonly string[] {
  const { description, keyState } = key;
  const isOurs = names.trustDomainOf(description) !== "foreign" && !names.isForeignDescription(description);
  if (!isOurs) {
    return [
      `the key's description ${JSON.stringify(description)} is not one of this configuration's keys: use aws kms cancel-key-deletion for it`,
    ];
  }
  if (!isPendingDeletion(key) && keyState !== "Disabled" && keyState !== "Enabled") {
    return [`the key's state is ${keyState}: wait until it is another`];
  }
  const isTaken = target !== undefined && target.arn !== key.arn && troubleWith(target, wanted.aliasName) === undefined;
  return isTaken
    ? [
        `alias ${wanted.aliasName} stands on key ${target.arn}, which is usable: a server may sign with it; take another alias (--alias), or none of a server's (--protect)`,
      ]
    : [];
}

function aliasSteps({ key, wanted, target }: RescueFacts): readonly RescueStep[] {
  const { aliasName } = wanted;
  if (target === undefined) return [{ kind: "create alias", aliasName }];
  return target.arn === key.arn ? [] : [{ kind: "move alias", aliasName, movedFrom: target.arn }];
}

function tagSteps({ tags, wanted, now, isTagMode }: RescueFacts): readonly RescueStep[] {
  const { identity, spireKeyId, purpose } = wanted;
  const isTagged = tags.has(tagNames.serverId) || tags.has(tagNames.active);
  if (!isTagMode && !isTagged) return [];
  if (purpose === "protection" || identity === undefined || spireKeyId === undefined) return [];
  return [{ kind: "tag", tags: spireTags(identity, spireKeyId, now) }];
}

export function planRescue(facts: RescueFacts, names: KeyNames): RescuePlan {
  const refusals = whyNot(facts, names);
  if (refusals.length > 0) return { steps: [], refusals };
  const { key } = facts;
  const isPending = isPendingDeletion(key);
  const steps: RescueStep[] = [
    ...(isPending ? [{ kind: "cancel deletion" } as const] : []),
    ...aliasSteps(facts),
    ...tagSteps(facts),
    ...(isPending || key.keyState === "Disabled" ? [{ kind: "enable" } as const] : []),
  ];
  return { steps, refusals };
}
