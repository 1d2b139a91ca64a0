/** The columns of `keys`: what each shows, how wide it is, how rows are sorted and filtered by it. */

import { isTroubled } from "../../key-manager/inventory/key-member.ts";
import { daysUntilStale, type KeyClass, type KeyRow } from "../../key-manager/inventory/key-row.ts";
import { type Colour, printable } from "../output/terminal.ts";
import { membersCell } from "./members-text.ts";

export interface Column {
  /** As `--sort` and `--filter` call it. */
  readonly name: string;
  readonly title: string;
  readonly width: number;
  readonly isRight?: boolean;
  readonly text: (row: KeyRow, now: Date) => string;
  /** What rows are sorted by; what is not known comes last. */
  readonly order: (row: KeyRow, now: Date) => number | string | undefined;
}

const dateOf = (date: Date | undefined): string => date?.toISOString().slice(0, 10) ?? "-";

/** On one line: what a row shows must not look like another row. */
const onLine = (text: string): string =>
  printable(text).replace(/[\t\n]/g, (character) => (character === "\t" ? "\\t" : "\\n"));

/** Seconds do not matter to people who count days. */
export function agoText(date: Date | undefined, now: Date): string {
  if (date === undefined) return "-";
  const hours = Math.max(0, Math.floor((now.getTime() - date.getTime()) / 3_600_000));
  if (hours < 48) return `${hours} h ago`;
  return `${Math.floor(hours / 24)} d ago`;
}

const staleText = (row: KeyRow, now: Date): string => {
  const { staleAt } = row;
  if (staleAt === undefined) return "-";
  if (staleAt <= now) return `${Math.floor((now.getTime() - staleAt.getTime()) / 86_400_000)} d ago`;
  return `${daysUntilStale(row, now)} d`;
};

const order: Readonly<Record<KeyClass, number>> = {
  unusable: 0,
  stale: 1,
  orphaned: 2,
  duplicated: 3,
  unknown: 4,
  "in use": 5,
  "pending deletion": 6,
  foreign: 7,
};

export const classes = Object.keys(order) as readonly KeyClass[];

export const colourOf: Readonly<Record<KeyClass, Colour>> = {
  unusable: "red",
  stale: "red",
  orphaned: "yellow",
  duplicated: "yellow",
  unknown: "yellow",
  "in use": "green",
  "pending deletion": "dim",
  foreign: "dim",
};

export const columns: readonly Column[] = [
  { name: "region", title: "REGION", width: 14, text: ({ region }) => region, order: ({ region }) => region },
  {
    name: "server",
    title: "SERVER",
    width: 36,
    text: ({ serverId = "-", isOwnServer }) => `${onLine(serverId)}${isOwnServer ? "*" : ""}`,
    order: ({ serverId }) => serverId,
  },
  {
    name: "key",
    title: "KEY",
    width: 14,
    text: ({ spireKeyId = "-" }) => onLine(spireKeyId),
    order: ({ spireKeyId }) => spireKeyId,
  },
  {
    name: "type",
    title: "TYPE",
    width: 8,
    text: ({ keyType, keySpec }) => keyType ?? keySpec ?? "-",
    order: ({ keyType }) => keyType,
  },
  {
    name: "state",
    title: "STATE",
    width: 15,
    text: ({ keyState = "-" }) => keyState,
    order: ({ keyState }) => keyState,
  },
  {
    name: "created",
    title: "CREATED",
    width: 10,
    text: ({ createdAt }) => dateOf(createdAt),
    order: ({ createdAt }) => createdAt?.getTime(),
  },
  {
    name: "refreshed",
    title: "REFRESHED",
    width: 9,
    isRight: true,
    text: ({ refreshedAt }, now) => agoText(refreshedAt, now),
    order: ({ refreshedAt }) => refreshedAt?.getTime(),
  },
  {
    name: "stale",
    title: "STALE IN",
    width: 9,
    isRight: true,
    text: staleText,
    order: ({ staleAt }) => staleAt?.getTime(),
  },
  {
    name: "deletion",
    title: "DELETION",
    width: 10,
    text: ({ deletionDate }) => dateOf(deletionDate),
    order: ({ deletionDate }) => deletionDate?.getTime(),
  },
  {
    name: "cost",
    title: "$/MONTH",
    width: 7,
    isRight: true,
    text: ({ monthlyCostUsd }) => monthlyCostUsd.toFixed(2),
    order: ({ monthlyCostUsd }) => monthlyCostUsd,
  },
  {
    name: "class",
    title: "CLASS",
    width: 16,
    text: ({ class: cls }) => cls,
    order: ({ class: cls }) => order[cls],
  },
  {
    name: "replicas",
    title: "REPLICAS",
    width: 0,
    text: membersCell,
    order: ({ members }) => (members.length === 0 ? undefined : members.filter(isTroubled).length),
  },
  {
    name: "alias",
    title: "ALIAS",
    width: 0,
    text: ({ aliasName = "-" }) => onLine(aliasName),
    order: (row) => row.aliasName,
  },
  {
    name: "arn",
    title: "ARN",
    width: 0,
    text: ({ arn, keyId }) => arn ?? keyId,
    order: ({ arn, keyId }) => arn ?? keyId,
  },
];

export const columnNames = columns.map(({ name }) => name);

/** Compares rows by columns, one after another; `-name` turns one round. */
export function comparator(names: readonly string[], now: Date): (a: KeyRow, b: KeyRow) => number {
  const keys = names.flatMap((given) => {
    const isReverse = given.startsWith("-");
    const column = columns.find(({ name }) => name === given.replace(/^-/, ""));
    return column === undefined ? [] : [{ column, sign: isReverse ? -1 : 1 }];
  });
  return (a, b) => {
    for (const { column, sign } of keys) {
      const one = column.order(a, now);
      const other = column.order(b, now);
      if (one === other) continue;
      if (one === undefined) return 1;
      if (other === undefined) return -1;
      return one < other ? -sign : sign;
    }
    return 0;
  };
}

/** `*` stands for anything; without one the text may stand anywhere in the value. Letter case does not matter. */
function matcher(pattern: string): (text: string) => boolean {
  const parts = pattern
    .toLowerCase()
    .split("*")
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  const expression = new RegExp(parts.length === 1 ? parts.join("") : `^${parts.join(".*")}$`);
  return (text) => expression.test(text.toLowerCase());
}

/** @returns what each row has to be, or what is wrong with the filter */
export function filterOf(filters: readonly string[], now: () => Date): ((row: KeyRow) => boolean) | string {
  const tests: ((row: KeyRow) => boolean)[] = [];
  for (const filter of filters) {
    const [, name = "", sign, value = ""] = /^([a-z]+)(!?=)(.*)$/s.exec(filter) ?? [];
    const column = columns.find((known) => known.name === name);
    if (column === undefined) {
      return `--filter: ${JSON.stringify(filter)} is no filter; write COLUMN=TEXT or COLUMN!=TEXT, where * stands for anything and COLUMN is one of ${columnNames.join(", ")}`;
    }
    const alternatives = value.split(",").map(matcher);
    const isWanted = sign === "=";
    tests.push((row) => {
      const text = column.text(row, now()).replace(/\*$/, "");
      return alternatives.some((matches) => matches(text)) === isWanted;
    });
  }
  return (row) => tests.every((test) => test(row));
}
