/**
 * The order inside the folders of src/: how many entries each may have, and which entry may import which. A room joins by
 * a line in these tables.
 */
import { circlesOf, type FolderGraph } from "./import-graph.ts";

/** Source files side by side in one folder. Sub-folders count as entries only. */
export const maxFiles = 15;

export type Rule = "files" | "entries" | "arrows" | "circles" | "directions";

export interface Limit {
  /** Files and sub-folders. */
  readonly entries?: number;
  /** Pairs of entries of which one imports the other. */
  readonly arrows?: number;
}

/** By folder below src/. */
export const limits: Readonly<Record<string, Limit>> = {
  "kms-emulator": { entries: 28 },
  "key-manager": { entries: 25, arrows: 100 },
  "go-plugin": { entries: 12 },
};

/** For one folder: by entry, the other entries that it may import from, be it only a type. Every entry has a line. */
export type Directions = Readonly<Record<string, readonly string[]>>;

/** By folder below src/; a folder without a table has no rule but "no circle". */
export const directions: Readonly<Record<string, Directions>> = {};

/** Rules that a folder does not keep yet. This list only ever gets shorter: what is kept again must be taken out. */
export const notYet: Readonly<Record<string, readonly Rule[]>> = {
  "go-plugin": ["circles"],
  "key-manager": ["circles"],
  "kms-emulator": ["circles"],
  "kms-emulator/operations": ["circles"],
  "kms-emulator/state": ["circles"],
};

export interface Violation {
  readonly rule: Rule;
  readonly text: string;
}

const isFile = (entry: string): boolean => entry.endsWith(".ts");

function* wrongDirections({ entries, arrows }: FolderGraph, allowed: Directions): Generator<Violation> {
  const rule = "directions";
  for (const entry of entries) if (!allowed[entry]) yield { rule, text: `${entry} is not in the table of directions` };
  for (const entry of Object.keys(allowed)) {
    if (!entries.includes(entry)) yield { rule, text: `${entry} is in the table of directions and not in the folder` };
  }
  for (const { from, to, because } of arrows) {
    if (allowed[from] && !allowed[from].includes(to)) {
      yield { rule, text: `${from} may not import from ${to}: ${because}` };
    }
  }
}

/** Everything about a folder that the rules do not allow. */
export function violationsOf(graph: FolderGraph, limit: Limit = {}, allowed?: Directions): Violation[] {
  const { entries, arrows } = graph;
  const found: Violation[] = [];
  const count = (rule: Rule, is: number, may: number | undefined) => {
    if (may !== undefined && is > may) found.push({ rule, text: `${is} ${rule}, at most ${may}` });
  };
  count("files", entries.filter(isFile).length, maxFiles);
  count("entries", entries.length, limit.entries);
  count("arrows", arrows.length, limit.arrows);
  for (const circle of circlesOf(graph)) found.push({ rule: "circles", text: `circle: ${circle.join(", ")}` });
  if (allowed) found.push(...wrongDirections(graph, allowed));
  return found;
}
