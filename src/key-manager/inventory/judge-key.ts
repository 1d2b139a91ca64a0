/**
 * One key judged: pure, from what KMS shows of it to a row.
 *
 * What the scans would do with it is asked of their own plans (`removal/scans/prune-plan.ts`), what a start would do with it of
 * discovery.
 */
import { troubleWith } from "../discovery/alias-discovery.ts";
import { keyTypeOf } from "../key-type.ts";
import { formatDuration } from "../pace/duration.ts";
import { isPendingDeletion, type KeyMetadata } from "../ports.ts";
import { whyNotSpires } from "../removal/ownership.ts";
import { isStaleAlias } from "../removal/scans/prune-plan.ts";
import type { InventoryFacts, JudgeContext } from "./inventory-facts.ts";
import { type KeyClass, type KeyRow, keyPriceUsd, type PruneVerdict } from "./key-row.ts";
import { isNamed, type Named, type Naming, namingOf } from "./naming.ts";
import { pruneVerdict } from "./prune-verdict.ts";

type Judgement = Pick<KeyRow, "class" | "why" | "prune">;

const ago = (at: Date, now: Date): string => {
  const hours = Math.max(0, Math.floor((now.getTime() - at.getTime()) / 3_600_000));
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
};

const told = (prune: PruneVerdict | undefined): string => {
  if (prune === undefined) return "";
  return prune.kind === "goes" ? "; the scans schedule it for deletion" : `; the scans leave it: ${prune.reason}`;
};

/** A key that no alias of SPIRE's stands on. */
function judgeNameless(facts: InventoryFacts, key: KeyMetadata, context: JudgeContext): Judgement {
  const { names, now, staleKeyMs } = context;
  const owner = names.trustDomainOf(key.description);
  if (owner === "foreign" && facts.tags === undefined) {
    return {
      class: "foreign",
      why: `its description ${JSON.stringify(key.description)} is not this trust domain's`,
      prune: undefined,
    };
  }
  const notSpires = whyNotSpires(key, context.lookedAfter);
  if (notSpires !== undefined) return { class: "foreign", why: notSpires, prune: undefined };
  if (isPendingDeletion(key)) return { class: "pending deletion", why: "its deletion is scheduled", prune: undefined };
  const prune = pruneVerdict(facts, key, context);
  const [other] = facts.aliases;
  if (!facts.areAliasesKnown) return { class: "unknown", why: "its aliases may not be listed", prune };
  if (other !== undefined) {
    const marked = names.reminders?.isReminder(other.aliasName)
      ? ", which marks it as still to be scheduled for deletion"
      : "";
    return {
      class: "orphaned",
      why: `no server names it; alias ${other.aliasName} stands on it${marked}${told(prune)}`,
      prune,
    };
  }
  const age = key.creationDate === undefined ? "" : `, made ${ago(key.creationDate, now)} ago`;
  const wait =
    prune === undefined && context.isPruned
      ? `; the scans look at it when it is ${formatDuration(staleKeyMs)} old`
      : told(prune);
  const what =
    facts.tags === undefined ? "no alias stands on it" : `only the tags of server ${facts.tags.serverId} name it`;
  return { class: "orphaned", why: `${what}${age}${wait}`, prune };
}

const troubleIn = (key: KeyMetadata, aliasName: string | undefined): string | undefined => {
  if (isPendingDeletion(key) && key.deletionDate !== undefined) {
    return `${troubleWith(key, aliasName)} before ${key.deletionDate.toISOString()}`;
  }
  return troubleWith(key, aliasName);
};

/** A key that a server names, by an alias or, in tag mode, by tags that are active. */
function judgeNamed(
  facts: InventoryFacts,
  key: KeyMetadata,
  { alias, refreshedAt }: Named,
  context: JudgeContext,
): Judgement {
  const { names, now, staleAliasMs } = context;
  const { description } = key;
  if (names.isForeignDescription(description)) {
    return {
      class: "foreign",
      why: `its description ${JSON.stringify(description)} is another trust domain's, which is written alike in aliases`,
      prune: undefined,
    };
  }
  const trouble = troubleIn(key, alias?.aliasName);
  const prune = pruneVerdict(facts, key, context);
  if (trouble !== undefined) return { class: "unusable", why: trouble, prune };
  if (refreshedAt === undefined) return { class: "in use", why: "KMS does not tell when it was refreshed", prune };
  const since = ago(refreshedAt, now);
  const isStale = now.getTime() - refreshedAt.getTime() >= staleAliasMs;
  if (isStale && context.isPruned) return { class: "stale", why: `not refreshed for ${since}${told(prune)}`, prune };
  const odd =
    names.trustDomainOf(description) === "foreign"
      ? `its description ${JSON.stringify(description)} is not SPIRE's`
      : whyNotSpires(key, context.lookedAfter);
  const never = odd === undefined ? "" : `; the scans never take it: ${odd}`;
  return {
    class: "in use",
    why: context.isPruned ? `refreshed ${since} ago${never}` : "its server's alias stands on it",
    prune,
  };
}

/** A key of which DescribeKey does not tell. */
function judgeUnseen(
  reason: "NOT_FOUND" | "ACCESS_DENIED",
  { alias, refreshedAt }: Named,
  { now, staleAliasMs }: JudgeContext,
): Judgement {
  if (reason === "NOT_FOUND") {
    return {
      class: "unusable",
      why: "there is no such key; delete the alias, or point it at another key",
      prune: undefined,
    };
  }
  const isStale = alias !== undefined && isStaleAlias(alias, { now, thresholdMs: staleAliasMs });
  const since = refreshedAt === undefined ? "" : `, refreshed ${ago(refreshedAt, now)} ago${isStale ? " (stale)" : ""}`;
  return { class: "unknown", why: `kms:DescribeKey is denied for it${since}`, prune: undefined };
}

const accountIn = (arn: string | undefined): string | undefined =>
  /^arn:[^:]*:kms:[^:]*:(\d{12}):/.exec(arn ?? "")?.[1];

function staleAtOf(
  cls: KeyClass,
  key: KeyMetadata | undefined,
  naming: Naming,
  context: JudgeContext,
): Date | undefined {
  if (!context.isPruned || cls === "foreign" || cls === "pending deletion") return undefined;
  if (naming.refreshedAt !== undefined) return new Date(naming.refreshedAt.getTime() + context.staleAliasMs);
  if (cls !== "orphaned" || key?.creationDate === undefined) return undefined;
  return new Date(key.creationDate.getTime() + context.staleKeyMs);
}

/** Judges one key by itself; which of several keys for one id is in use, `duplicates.ts` says. */
export function judgeKey(facts: InventoryFacts, context: JudgeContext): KeyRow {
  const key = typeof facts.key === "object" ? facts.key : undefined;
  const naming = namingOf(facts, key?.description ?? "", context);
  const judgement =
    key === undefined
      ? judgeUnseen(facts.key === "NOT_FOUND" ? "NOT_FOUND" : "ACCESS_DENIED", naming, context)
      : isNamed(facts, naming)
        ? judgeNamed(facts, key, naming, context)
        : judgeNameless(facts, key, context);
  const costs = key !== undefined && !isPendingDeletion(key) ? keyPriceUsd : 0;
  return {
    region: context.region,
    account: accountIn(key?.arn ?? naming.alias?.aliasArn),
    keyId: facts.keyId,
    arn: key?.arn,
    serverId: naming.owner?.serverId,
    isOwnServer: context.ownServerId !== undefined && naming.owner?.serverId === context.ownServerId,
    spireKeyId: naming.owner?.keyId,
    aliasName: naming.alias?.aliasName,
    aliasCreatedAt: naming.alias?.creationDate,
    aliases: facts.aliases.map(({ aliasName }) => aliasName),
    description: key?.description,
    keySpec: key?.keySpec,
    keyType: key && keyTypeOf(key.keySpec),
    keyState: key?.keyState,
    createdAt: key?.creationDate,
    refreshedAt: naming.refreshedAt,
    staleAt: staleAtOf(judgement.class, key, naming, context),
    deletionDate: key?.deletionDate,
    monthlyCostUsd: costs,
    replicas: key?.multiRegion?.replicaRegions ?? [],
    primaryRegion: key?.multiRegion && (key.multiRegion.primaryRegion ?? context.region),
    members: [],
    ...judgement,
  };
}
