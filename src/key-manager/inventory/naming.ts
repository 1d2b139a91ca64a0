/** Which server names a key, by an alias or by tags, and when it said so last. */
import type { AliasOwner } from "../names.ts";
import type { AliasListEntry } from "../ports.ts";
import type { InventoryFacts, JudgeContext } from "./inventory-facts.ts";

export interface Named {
  readonly alias: AliasListEntry | undefined;
  readonly refreshedAt: Date | undefined;
}

const later = (one: Date | undefined, other: Date | undefined): Date | undefined =>
  one === undefined || (other !== undefined && other > one) ? other : one;

export interface Naming extends Named {
  readonly owner: AliasOwner | undefined;
}

/** Who names the key, and by what; the alias that a server would write itself goes before others. */
export function namingOf({ aliases, tags }: InventoryFacts, description: string, { names }: JudgeContext): Naming {
  const owned = aliases.flatMap((alias) => {
    const owner = names.ownerOf(alias.aliasName, description);
    return owner === undefined ? [] : [{ alias, owner }];
  });
  const [first] = owned.sort(
    (a, b) => (b.alias.lastUpdatedDate?.getTime() ?? 0) - (a.alias.lastUpdatedDate?.getTime() ?? 0),
  );
  const byTags = tags?.active ? tags : undefined;
  const owner = first?.owner ?? (tags && { serverId: tags.serverId, keyId: tags.keyId });
  return { alias: first?.alias, owner, refreshedAt: later(first?.alias.lastUpdatedDate, byTags?.lastUpdate) };
}

export const isNamed = ({ tags }: InventoryFacts, { alias }: Naming): boolean =>
  alias !== undefined || tags?.active === true;
