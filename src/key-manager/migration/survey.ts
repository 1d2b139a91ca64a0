/** Finds out what stands under the old and the new names of a migration; asks KMS about these keys only. */
import { createHash } from "node:crypto";
import { troubleWith } from "../discovery/alias-discovery.ts";
import { keyManagerError } from "../errors.ts";
import type { KeyNames } from "../names.ts";
import { mapBounded } from "../pace/concurrency.ts";
import { type AliasListEntry, type Clock, isKmsError, type KmsClient } from "../ports.ts";
import type { LeftOut, MigrationNames, NamedKey, Survey } from "./compare-names.ts";

export interface SurveyContext {
  readonly kms: Pick<KmsClient, "listAliases" | "describeKey" | "getPublicKey">;
  readonly names: MigrationNames;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** DescribeKey and GetPublicKey under way at once. */
const concurrency = 8;

interface Listing {
  readonly aliases: readonly AliasListEntry[];
  readonly now: Date;
}

async function listAliases({ kms, clock, signal }: SurveyContext): Promise<Listing> {
  const aliases: AliasListEntry[] = [];
  let now = clock.now();
  for await (const page of kms.listAliases(undefined, { signal })) {
    aliases.push(...page.items);
    now = page.serverTime ?? now;
  }
  return { aliases, now };
}

type Examined = { readonly keyId: string; readonly named: NamedKey } | LeftOut | undefined;

/** @returns undefined for a key that only looks like ours */
async function examine(alias: AliasListEntry, names: KeyNames, { kms, signal }: SurveyContext): Promise<Examined> {
  const { aliasName, targetKeyId } = alias;
  if (targetKeyId === undefined) return { aliasName, reason: "it has no target key" };
  try {
    const key = await kms.describeKey(targetKeyId, { signal });
    if (names.isForeignDescription(key.description)) return undefined;
    const trouble = troubleWith(key, aliasName);
    const fingerprint = trouble === undefined ? await fingerprintOf(key.arn, { kms, signal }) : undefined;
    const named: NamedKey = {
      aliasName,
      addedAt: alias.creationDate,
      refreshedAt: alias.lastUpdatedDate,
      keyArn: key.arn,
      description: key.description,
      keyState: key.keyState,
      createdAt: key.creationDate,
      fingerprint,
      trouble,
    };
    return { keyId: names.keyIdOf(aliasName, key.description), named };
  } catch (error) {
    if (!isKmsError(error, "NOT_FOUND", "DISABLED", "INVALID_STATE")) throw error;
    return { aliasName, reason: `its key changed while it was looked at: ${error.message}` };
  }
}

async function fingerprintOf(keyArn: string, { kms, signal }: Pick<SurveyContext, "kms" | "signal">): Promise<string> {
  const { pkixData } = await kms.getPublicKey(keyArn, { signal });
  return createHash("sha256").update(pkixData).digest("hex");
}

interface Side {
  readonly keys: ReadonlyMap<string, NamedKey>;
  readonly leftOut: readonly LeftOut[];
}

async function examineSide(aliases: readonly AliasListEntry[], names: KeyNames, context: SurveyContext): Promise<Side> {
  const doubts = names.doubtsAbout?.(aliases.map(({ aliasName }) => aliasName)) ?? new Map<string, string>();
  const own = aliases.filter(({ aliasName }) => names.isOwnAlias(aliasName) && !doubts.has(aliasName));
  const leftOut: LeftOut[] = [...doubts].map(([aliasName, reason]) => ({ aliasName, reason }));
  const keys = new Map<string, NamedKey>();
  const examined = await mapBounded(own, concurrency, (alias) => examine(alias, names, context));
  for (const found of examined) {
    if (found === undefined) continue;
    if ("reason" in found) {
      leftOut.push(found);
      continue;
    }
    const { keyId, named } = found;
    const rival = keys.get(keyId);
    // The plugin's own choice where two aliases stand for one id.
    const wins = rival === undefined || named.aliasName === names.aliasFor(keyId);
    if (wins) keys.set(keyId, named);
    const loser = wins ? rival : named;
    if (loser !== undefined) {
      leftOut.push({ aliasName: loser.aliasName, reason: `another alias stands for key ${JSON.stringify(keyId)}` });
    }
  }
  return { keys, leftOut };
}

/** @throws KeyManagerError when KMS refuses or cannot be reached */
export async function surveyKeys(context: SurveyContext): Promise<Survey> {
  try {
    const { aliases, now } = await listAliases(context);
    const from = await examineSide(aliases, context.names.from, context);
    const to = await examineSide(aliases, context.names.to, context);
    return { from: from.keys, to: to.keys, leftOut: [...from.leftOut, ...to.leftOut], now };
  } catch (error) {
    throw keyManagerError("failed to find out which keys there are", error);
  }
}
