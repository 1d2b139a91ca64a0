/** The five tags by which keys are found and refreshed in tag mode; the names and values are SPIRE's own. */
import type { Tag, TagFilter, TaggedKey } from "../ports.ts";

export const tagNames = {
  trustDomain: "spire-server-td",
  serverId: "spire-server-id",
  active: "spire-active",
  keyId: "spire-key-id",
  lastUpdate: "spire-last-update",
} as const;

/** What AWS takes in a tag's value. */
const fitting = /^[\p{L}\p{N}\s+\-=._:/@]*$/u;

/** `=` at the beginning marks an id that does not fit as it stands: what AWS refuses, and `=` itself, is `=` and two hex digits a byte. */
const mark = "=";

const isPlain = (keyId: string): boolean => fitting.test(keyId) && !keyId.startsWith(mark);

/** The value of `spire-key-id`: the key id itself, as SPIRE's own plugin writes it, wherever AWS takes it. */
export function keyIdTagValue(keyId: string): string {
  if (isPlain(keyId)) return keyId;
  const escaped = [...keyId].map((character) =>
    character !== mark && fitting.test(character)
      ? character
      : [...Buffer.from(character)].map((byte) => `=${byte.toString(16).padStart(2, "0")}`).join(""),
  );
  return mark + escaped.join("");
}

function keyIdOfTag(value: string): string {
  if (!value.startsWith(mark)) return value;
  const bytes = value.slice(1).replace(/=([0-9a-f]{2})/g, "%$1");
  let keyId: string;
  try {
    keyId = decodeURIComponent(bytes);
  } catch {
    return value;
  }
  // What we would not have written so is no escaped id.
  return keyIdTagValue(keyId) === value ? keyId : value;
}

/** Who a tagged key belongs to. */
export interface TagIdentity {
  readonly trustDomain: string;
  readonly serverId: string;
}

export interface SpireTags extends TagIdentity {
  readonly keyId: string;
  readonly active: boolean;
  /** Undefined when it is missing or no number. */
  readonly lastUpdate: Date | undefined;
}

const unixSeconds = (date: Date): string => String(Math.floor(date.getTime() / 1000));

/** All five, for a new key or one that is migrated. */
export function spireTags({ trustDomain, serverId }: TagIdentity, keyId: string, now: Date): readonly Tag[] {
  return [
    { key: tagNames.trustDomain, value: trustDomain },
    { key: tagNames.serverId, value: serverId },
    { key: tagNames.keyId, value: keyIdTagValue(keyId) },
    lastUpdateTag(now),
    activeTag(true),
  ];
}

export const activeTag = (active: boolean): Tag => ({ key: tagNames.active, value: String(active) });

export const lastUpdateTag = (now: Date): Tag => ({ key: tagNames.lastUpdate, value: unixSeconds(now) });

/** How old the tags of a server that runs in tag mode may be: a refresh, and the retries of one that failed. */
export const freshTagMsOf = (refreshIntervalMs: number): number => 1.25 * refreshIntervalMs;

/** A date that makes the next start look at the aliases as well. */
export const notFreshDate = (now: Date, freshTagMs: number): Date => new Date(now.getTime() - freshTagMs - 1_000);

export const trustDomainFilter = (trustDomain: string): TagFilter => ({
  key: tagNames.trustDomain,
  value: trustDomain,
});

export const serverFilter = (serverId: string): TagFilter => ({ key: tagNames.serverId, value: serverId });

/** @returns undefined when one of the tags that say whose the key is is missing */
export function readSpireTags({ tags }: TaggedKey): SpireTags | undefined {
  const trustDomain = tags.get(tagNames.trustDomain);
  const serverId = tags.get(tagNames.serverId);
  const keyId = keyIdOfTag(tags.get(tagNames.keyId) ?? "");
  if (trustDomain === undefined || serverId === undefined || keyId === "") return undefined;
  const seconds = tags.get(tagNames.lastUpdate) ?? "";
  return {
    trustDomain,
    serverId,
    keyId,
    active: tags.get(tagNames.active) === "true",
    lastUpdate: /^\d{1,12}$/.test(seconds) ? new Date(Number(seconds) * 1000) : undefined,
  };
}
