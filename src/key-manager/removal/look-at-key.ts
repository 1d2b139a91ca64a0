/** The look at a key right before it is scheduled for deletion: whether it may go, by what KMS says at this moment. */
import type { DeletionRequest } from "../deletions.ts";
import { findKey } from "../keys/find-key.ts";
import { type CallOptions, isPendingDeletion, type KeyMetadata, type Logger } from "../ports.ts";
import { keepAliasOff } from "./alias-guard.ts";
import { keyFactsOf } from "./key-facts.ts";
import { lookAtSet, type MembersToGo } from "./key-set.ts";

export type SeenKey =
  | { readonly kind: "may go"; readonly members: MembersToGo }
  | { readonly kind: "not found" }
  /** With members of it that are not. */
  | { readonly kind: "scheduled already"; readonly deletionDate: Date | undefined; readonly members: MembersToGo }
  /** It will be some time. */
  | { readonly kind: "not yet"; readonly reason: string }
  /** `in use`: the alias that was asked for stands on it after all. `spared`: by the rule. */
  | { readonly kind: "in use" | "spared"; readonly reason: string; readonly key?: KeyMetadata };

export interface LookOptions extends CallOptions {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** @throws KmsError when KMS does not say: then nothing is known */
export async function lookAtKey(request: DeletionRequest, { log, signal }: LookOptions): Promise<SeenKey> {
  const { kms, keyArn, slot, unlessAlias, beforeLook, mayStay, whyUsed } = request;
  await beforeLook?.(signal);
  if (slot !== undefined) await keepAliasOff(keyArn, slot, { kms, log, signal });
  if (unlessAlias !== undefined && (await findKey(kms, unlessAlias, { signal }))?.arn === keyArn) {
    return { kind: "in use", reason: `alias ${unlessAlias} stands on the key` };
  }
  const facts = await keyFactsOf(keyArn, kms, signal);
  if (facts === undefined) return { kind: "not found" };
  const lookAtOthers = () => lookAtSet(request, facts.key, signal);
  if (isPendingDeletion(facts.key)) {
    const { deletionDate } = facts.key;
    const others = await lookAtOthers();
    return others.kind === "may go" ? { kind: "scheduled already", deletionDate, members: others.members } : others;
  }
  // A listing may be older than the look at the alias itself.
  const lookedAt = slot?.aliasName ?? unlessAlias;
  const aliases = facts.aliases.filter(({ aliasName }) => aliasName !== lookedAt);
  const shown = { ...facts, aliases };
  const reason = mayStay(shown) ?? (await whyUsed?.(shown, signal));
  return reason === undefined ? await lookAtOthers() : { kind: "spared", reason, key: facts.key };
}
