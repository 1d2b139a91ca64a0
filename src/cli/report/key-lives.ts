/** Keys as lives on a time line, by server and SPIRE key id. */
import type { KeyClass, KeyRow } from "../../key-manager/inventory/key-row.ts";
import type { PastKey } from "./history.ts";
import type { ReportData } from "./report-data.ts";

const dayMs = 86_400_000;
/** An alias and its first key are made within the same moments. */
const sameMomentMs = 10 * 60_000;

export interface KeyLife {
  readonly keyId: string;
  readonly class: KeyClass | "ended";
  readonly createdAt: Date | undefined;
  /** It took the place of another key under its id. */
  readonly isRotation: boolean;
  readonly refreshedAt: Date | undefined;
  readonly staleAt: Date | undefined;
  /** When it was scheduled for deletion: as a run found it, else reckoned from the configured window. */
  readonly pendingFrom: Date | undefined;
  readonly isPendingReckoned: boolean;
  /** When KMS deletes it, or a run no longer found it. */
  readonly endsAt: Date | undefined;
  readonly row: KeyRow | undefined;
}

export interface Lane {
  readonly spireKeyId: string;
  /** The oldest first. */
  readonly lives: readonly KeyLife[];
}

export interface ServerLives {
  readonly region: string;
  /** Undefined: keys of which nothing tells whose they are. */
  readonly serverId: string | undefined;
  readonly isOwnServer: boolean;
  readonly lanes: readonly Lane[];
  readonly counts: ReadonlyMap<KeyLife["class"], number>;
  /** When the first of its keys in use gets stale. */
  readonly staleAt: Date | undefined;
  readonly hasTrouble: boolean;
}

/** The classes that are to be looked at. */
export const troubling: ReadonlySet<KeyLife["class"]> = new Set([
  "stale",
  "orphaned",
  "duplicated",
  "unusable",
  "unknown",
]);

const date = (text: string | undefined): Date | undefined => (text === undefined ? undefined : new Date(text));

function lifeOf(row: KeyRow, past: PastKey | undefined, data: ReportData): KeyLife {
  const { deletionDate } = row;
  const seen = date(past?.pending);
  const reckoned =
    deletionDate === undefined ? undefined : new Date(deletionDate.getTime() - data.pendingWindowDays * dayMs);
  const isFirst = reckoned !== undefined && (seen === undefined || reckoned < seen);
  const pendingFrom = deletionDate === undefined ? undefined : isFirst ? reckoned : seen;
  const { createdAt, aliasCreatedAt } = row;
  return {
    keyId: row.keyId,
    class: row.class,
    createdAt,
    isRotation:
      createdAt !== undefined &&
      aliasCreatedAt !== undefined &&
      createdAt.getTime() - aliasCreatedAt.getTime() > sameMomentMs,
    refreshedAt: row.refreshedAt,
    staleAt: row.staleAt,
    // No key was scheduled before it was made.
    pendingFrom:
      pendingFrom !== undefined && createdAt !== undefined && pendingFrom < createdAt ? createdAt : pendingFrom,
    isPendingReckoned: isFirst,
    endsAt: deletionDate,
    row,
  };
}

const endedLife = (keyId: string, past: PastKey): KeyLife => ({
  keyId,
  class: "ended",
  createdAt: date(past.created),
  isRotation: false,
  refreshedAt: undefined,
  staleAt: undefined,
  pendingFrom: date(past.pending),
  isPendingReckoned: false,
  endsAt: date(past.ended),
  row: undefined,
});

interface Placed {
  readonly life: KeyLife;
  readonly region: string;
  readonly serverId: string | undefined;
  readonly spireKeyId: string | undefined;
  readonly isOwnServer: boolean;
}

function placed(data: ReportData): Placed[] {
  const past = data.history?.keys ?? {};
  const seen = new Set(data.rows.map(({ keyId }) => keyId));
  const present = data.rows.map((row): Placed => {
    const known = past[row.keyId];
    const { region, isOwnServer } = row;
    const life = lifeOf(row, known, data);
    return {
      life,
      region,
      isOwnServer,
      serverId: row.serverId ?? known?.server,
      spireKeyId: row.spireKeyId ?? known?.id,
    };
  });
  const ended = Object.entries(past)
    .filter(([keyId, { ended: end }]) => end !== undefined && !seen.has(keyId))
    .map(([keyId, known]): Placed => {
      const life = endedLife(keyId, known);
      return { life, region: known.region, serverId: known.server, spireKeyId: known.id, isOwnServer: false };
    });
  return [...present, ...ended];
}

const timeOf = ({ createdAt }: KeyLife): number => createdAt?.getTime() ?? 0;

/** Keys under one id in their order; each but the first has taken the place of the one before. */
function laneOf(spireKeyId: string, unsorted: readonly KeyLife[]): Lane {
  const lives = unsorted.toSorted((one, other) => timeOf(one) - timeOf(other));
  return {
    spireKeyId,
    lives: lives.map((life, index) =>
      index > 0 && spireKeyId !== "" && !troubling.has(life.class) ? { ...life, isRotation: true } : life,
    ),
  };
}

function serverOf(members: readonly Placed[]): ServerLives {
  const [first] = members;
  const byId = new Map<string, KeyLife[]>();
  const counts = new Map<KeyLife["class"], number>();
  for (const { life, spireKeyId } of members) {
    const id = spireKeyId ?? "";
    byId.set(id, [...(byId.get(id) ?? []), life]);
    counts.set(life.class, (counts.get(life.class) ?? 0) + 1);
  }
  const stale = members.flatMap(({ life }) =>
    life.class === "in use" && life.staleAt ? [life.staleAt.getTime()] : [],
  );
  return {
    region: first?.region ?? "",
    serverId: first?.serverId,
    isOwnServer: members.some(({ isOwnServer }) => isOwnServer),
    lanes: [...byId].sort(([one], [other]) => one.localeCompare(other)).map(([id, lives]) => laneOf(id, lives)),
    counts,
    staleAt: stale.length === 0 ? undefined : new Date(stale.reduce((one, other) => Math.min(one, other))),
    hasTrouble: [...counts.keys()].some((name) => troubling.has(name)),
  };
}

export interface Lives {
  /** Those with trouble first, then the configuration's own, then by name. */
  readonly servers: readonly ServerLives[];
  /** Keys of which nothing tells whose they are. */
  readonly nameless: readonly KeyLife[];
}

export function livesOf(data: ReportData): Lives {
  const groups = new Map<string, Placed[]>();
  const nameless: KeyLife[] = [];
  for (const one of placed(data)) {
    if (one.serverId === undefined) {
      nameless.push(one.life);
      continue;
    }
    const id = JSON.stringify([one.region, one.serverId]);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [one]);
    else group.push(one);
  }
  const rank = ({ hasTrouble, isOwnServer }: ServerLives) => (hasTrouble ? 0 : isOwnServer ? 1 : 2);
  const servers = [...groups.values()]
    .map(serverOf)
    .sort(
      (one, other) =>
        rank(one) - rank(other) ||
        (one.serverId ?? "").localeCompare(other.serverId ?? "") ||
        one.region.localeCompare(other.region),
    );
  const isPending = (life: KeyLife) => Number(!troubling.has(life.class));
  return {
    servers,
    nameless: nameless.sort((one, other) => isPending(one) - isPending(other) || timeOf(one) - timeOf(other)),
  };
}
