/** What each phase of a migration does to the aliases, and why it may not: pure, from how the keys stand. */
import { KeyManagerError } from "../errors.ts";
import type { ComparedKey, Comparison, MigrationNames, NamedKey } from "./compare-names.ts";

/** `apply` adds the new aliases, `finish` removes the old ones, `back` removes the new ones again. */
export type Phase = "apply" | "finish" | "back";

/** One change of one alias. Keys are never touched. */
export type Step =
  | { readonly kind: "add"; readonly keyId: string; readonly aliasName: string; readonly keyArn: string }
  /** From a key that was replaced to the one that is in use. */
  | {
      readonly kind: "move";
      readonly keyId: string;
      readonly aliasName: string;
      readonly keyArn: string;
      readonly movedFrom: string;
    }
  /** To the key where it stands, so that no server takes it for forgotten. */
  | { readonly kind: "refresh"; readonly keyId: string; readonly aliasName: string; readonly keyArn: string }
  | {
      readonly kind: "remove";
      readonly keyId: string;
      readonly aliasName: string;
      /** Where the alias stands. */
      readonly keyArn: string;
      /** The other name of the key in use, which has to be there before this one may go. */
      readonly kept: { readonly aliasName: string; readonly keyArn: string };
    };

export interface PhasePlan {
  readonly steps: readonly Step[];
  /** Why the phase may not begin. */
  readonly refusals: readonly string[];
}

const dayMs = 86_400_000;
/** Servers refresh every six hours: an alias that was not refreshed for so long has no server running. */
const noServerAfterMs = dayMs;

const add = (keyId: string, aliasName: string, { keyArn }: NamedKey): Step => ({
  kind: "add",
  keyId,
  aliasName,
  keyArn,
});
const move = (keyId: string, alias: NamedKey, target: NamedKey): Step => ({
  kind: "move",
  keyId,
  aliasName: alias.aliasName,
  keyArn: target.keyArn,
  movedFrom: alias.keyArn,
});
const remove = (keyId: string, { aliasName, keyArn }: NamedKey, kept: NamedKey): Step => ({
  kind: "remove",
  keyId,
  aliasName,
  keyArn,
  kept: { aliasName: kept.aliasName, keyArn: kept.keyArn },
});

/** Aliases that servers of the trust domain prune, and no server refreshes. */
function refreshes(comparedKey: ComparedKey, now: Date, { from, to }: MigrationNames): readonly Step[] {
  const isForgotten = ({ refreshedAt }: NamedKey) =>
    refreshedAt !== undefined && now.getTime() - refreshedAt.getTime() > noServerAfterMs;
  const { keyId } = comparedKey;
  const sides = [
    { names: from, named: "from" in comparedKey ? comparedKey.from : undefined },
    { names: to, named: "to" in comparedKey ? comparedKey.to : undefined },
  ];
  return sides.flatMap(({ names, named }): Step[] =>
    named !== undefined &&
    named.fingerprint !== undefined &&
    names.isTrustDomainAlias(named.aliasName) &&
    isForgotten(named)
      ? [{ kind: "refresh", keyId, aliasName: named.aliasName, keyArn: named.keyArn }]
      : [],
  );
}

function applySteps(comparedKey: ComparedKey, now: Date, names: MigrationNames): readonly Step[] {
  const { keyId } = comparedKey;
  switch (comparedKey.kind) {
    case "old":
      return [add(keyId, comparedKey.toAlias, comparedKey.from), ...refreshes(comparedKey, now, names)];
    case "rotated-old":
      return [
        move(keyId, comparedKey.to, comparedKey.from),
        ...refreshes(comparedKey, now, names).filter(isAbout(comparedKey.from)),
      ];
    default:
      return refreshes(comparedKey, now, names);
  }
}

function finishSteps(comparedKey: ComparedKey): readonly Step[] {
  const { keyId } = comparedKey;
  switch (comparedKey.kind) {
    case "both":
      return [remove(keyId, comparedKey.from, comparedKey.to)];
    case "rotated-new":
      // A key that is disabled, but not scheduled for deletion, keeps its name.
      return comparedKey.from.keyState === "Disabled" ? [] : [remove(keyId, comparedKey.from, comparedKey.to)];
    default:
      return [];
  }
}

function backSteps(comparedKey: ComparedKey, now: Date, names: MigrationNames): readonly Step[] {
  const { keyId } = comparedKey;
  switch (comparedKey.kind) {
    case "both":
      return [
        ...refreshes(comparedKey, now, names).filter(isAbout(comparedKey.from)),
        remove(keyId, comparedKey.to, comparedKey.from),
      ];
    case "rotated-old":
      return [remove(keyId, comparedKey.to, comparedKey.from)];
    case "rotated-new":
      return [
        move(keyId, comparedKey.from, comparedKey.to),
        remove(keyId, comparedKey.to, { ...comparedKey.to, aliasName: comparedKey.from.aliasName }),
      ];
    case "new": {
      const fromAlias = names.from.aliasFor(keyId);
      return [
        add(keyId, fromAlias, comparedKey.to),
        remove(keyId, comparedKey.to, { ...comparedKey.to, aliasName: fromAlias }),
      ];
    }
    case "unusable":
      return comparedKey.to?.keyArn === comparedKey.from.keyArn
        ? [remove(keyId, comparedKey.to, comparedKey.from)]
        : [];
    default:
      return [];
  }
}

const isAbout =
  ({ aliasName }: NamedKey) =>
  (step: Step): boolean =>
    step.aliasName === aliasName;

function refusalsOf(phase: Phase, { comparedKeys, conflicts }: Comparison): readonly string[] {
  if (conflicts.length > 0) return conflicts;
  if (comparedKeys.length === 0)
    return ["no key is found under the old names, nor under the new ones; check the names and the Region"];
  if (phase === "finish") {
    return comparedKeys.flatMap(({ kind, keyId }) =>
      kind === "old" || kind === "rotated-old"
        ? [`key ${JSON.stringify(keyId)} is not yet found under its new name; apply the migration first`]
        : [],
    );
  }
  if (phase === "back" && comparedKeys.every(({ kind }) => kind === "new")) {
    return ["no old alias is left: the migration is finished, there is no way back any more"];
  }
  return [];
}

/** @param now KMS's time */
export function planPhase(phase: Phase, compared: Comparison, now: Date, names: MigrationNames): PhasePlan {
  const refusals = refusalsOf(phase, compared);
  if (refusals.length > 0) return { steps: [], refusals };
  const stepsOf = (comparedKey: ComparedKey): readonly Step[] => {
    switch (phase) {
      case "apply":
        return applySteps(comparedKey, now, names);
      case "finish":
        return finishSteps(comparedKey);
      case "back":
        return backSteps(comparedKey, now, names);
    }
  };
  try {
    return { steps: compared.comparedKeys.flatMap(stepsOf), refusals };
  } catch (error) {
    // The old names cannot hold a key that was made under the new ones.
    if (error instanceof KeyManagerError) return { steps: [], refusals: [error.message] };
    throw error;
  }
}
