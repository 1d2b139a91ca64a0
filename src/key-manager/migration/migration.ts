/** A migration of a server's keys from one naming scheme to another: look, apply, finish, or go back. */
import { discoverByAlias } from "../discovery/alias-discovery.ts";
import type { Clock, KmsClient, Logger } from "../ports.ts";
import { type ComparedKey, compareNames, type LeftOut, type MigrationNames, type NamedKey } from "./compare-names.ts";
import { finishWarnings, refreshDeadline } from "./refresh-deadline.ts";
import { type Phase, type PhasePlan, planPhase, type Step } from "./steps.ts";
import { surveyKeys } from "./survey.ts";
import { type AliasClient, takeSteps } from "./take-steps.ts";

export interface MigrationContext {
  /** Nothing that makes, disables or schedules a key. */
  readonly kms: AliasClient & Pick<KmsClient, "listAliases" | "getPublicKey">;
  readonly names: MigrationNames;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of each step once it is done. */
  readonly onTaken?: (step: Step) => void;
}

export interface MigrationReport {
  /** How the keys stand at the end. */
  readonly comparedKeys: readonly ComparedKey[];
  readonly leftOut: readonly LeftOut[];
  /** The steps taken, or to be taken. */
  readonly steps: readonly Step[];
  /** Why nothing, or nothing more, was done. */
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
  /** Whether the plugin of the names that count from now on finds every key, each with its fingerprint. */
  readonly isVerified: boolean;
  /** From then on other servers of the trust domain take aliases for stale that no server has refreshed. */
  readonly refreshBefore: Date | undefined;
}

/** KMS may show a new alias late. */
const verifyDelaysMs = [0, 500, 1_000, 2_000, 4_000] as const;

/** The key in use for each id; `back` goes on with the old name where there is one. */
function keysInUse(comparedKeys: readonly ComparedKey[]): ReadonlyMap<string, NamedKey> {
  const keys = new Map<string, NamedKey>();
  for (const comparedKey of comparedKeys) {
    const { kind, keyId } = comparedKey;
    if (kind === "old" || kind === "both" || kind === "rotated-old") keys.set(keyId, comparedKey.from);
    if (kind === "new" || kind === "rotated-new") keys.set(keyId, comparedKey.to);
  }
  return keys;
}

/** Under which of its names each key must be found. */
type Side = keyof MigrationNames;

/** What the plugin of these names would not find: its own discovery is asked. */
async function missingKeys(
  expected: ReadonlyMap<string, NamedKey>,
  side: Side,
  { kms, names, log }: MigrationContext,
): Promise<readonly string[]> {
  const { entries } = await discoverByAlias({ kms, names: names[side], log, signal: undefined });
  return [...expected].flatMap(([keyId, { fingerprint, keyArn }]) => {
    // A key of the new names that cannot be used is not this migration's doing.
    if (fingerprint === undefined) return [];
    const found = entries.get(keyId);
    if (found?.fingerprint === fingerprint) return [];
    const name = `${side === "to" ? "new" : "old"} name`;
    const what = found === undefined ? "is not found" : `is not what is found (${found.keyArn})`;
    return [`key ${JSON.stringify(keyId)} (${keyArn}) ${what} under its ${name}`];
  });
}

async function verify(
  expected: ReadonlyMap<string, NamedKey>,
  side: Side,
  context: MigrationContext,
): Promise<readonly string[]> {
  let missing: readonly string[] = [];
  for (const delayMs of verifyDelaysMs) {
    if (delayMs > 0) await context.clock.sleep(delayMs);
    missing = await missingKeys(expected, side, context);
    if (missing.length === 0) break;
  }
  return missing;
}

interface Look {
  readonly comparedKeys: readonly ComparedKey[];
  readonly leftOut: readonly LeftOut[];
  readonly now: Date;
  readonly plan: PhasePlan;
}

async function look(phase: Phase, { kms, names, clock }: MigrationContext): Promise<Look> {
  const survey = await surveyKeys({ kms, names, clock });
  const compared = compareNames(survey, names);
  const { leftOut, now } = survey;
  return { comparedKeys: compared.comparedKeys, leftOut, now, plan: planPhase(phase, compared, now, names) };
}

function reportOf(
  { comparedKeys, leftOut }: Look,
  names: MigrationNames,
  rest: Partial<MigrationReport>,
): MigrationReport {
  const refreshBefore = refreshDeadline(comparedKeys, names);
  return { comparedKeys, leftOut, steps: [], refusals: [], warnings: [], isVerified: false, refreshBefore, ...rest };
}

/**
 * What `apply` would do. Changes nothing.
 *
 * @throws KeyManagerError when KMS refuses or cannot be reached
 */
export async function planMigration(context: MigrationContext): Promise<MigrationReport> {
  const { names } = context;
  const found = await look("apply", context);
  const { steps, refusals } = found.plan;
  const isApplied = refusals.length === 0 && !steps.some(({ kind }) => kind !== "refresh");
  const missing = isApplied ? await missingKeys(keysInUse(found.comparedKeys), "to", context) : [];
  return reportOf(found, names, { steps, refusals, isVerified: isApplied && missing.length === 0 });
}

/**
 * Carries out one phase: whole, or up to where it failed. Running it again goes on from there.
 *
 * @throws KeyManagerError when KMS refuses or cannot be reached, or an alias was changed from outside meanwhile
 */
export async function migrate(phase: Phase, context: MigrationContext): Promise<MigrationReport> {
  const { kms, names, onTaken } = context;
  const before = await look(phase, context);
  const { steps, refusals } = before.plan;
  if (refusals.length > 0) return reportOf(before, names, { refusals });
  const expected = keysInUse(before.comparedKeys);
  const lasting = phase === "back" ? "from" : "to";
  if (phase === "finish") {
    const missing = await verify(expected, lasting, context);
    if (missing.length > 0) return reportOf(before, names, { refusals: missing });
  }
  await takeSteps(steps, kms, onTaken);
  const missing = await verify(expected, lasting, context);
  const warnings = phase === "finish" ? finishWarnings(before.comparedKeys, before.now, names) : [];
  const isVerified = missing.length === 0;
  return reportOf(await look(phase, context), names, { steps, warnings, refusals: missing, isVerified });
}
