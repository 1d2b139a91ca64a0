/** Reads the import graph of src/: which file imports what, and what that means for the entries of each folder. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const source = fileURLToPath(new URL("../../src", import.meta.url));

export interface Import {
  readonly file: string;
  /** A path below src/ for our own files, a package's name, or `node:…`. */
  readonly target: string;
  readonly isOwn: boolean;
  readonly isTypeOnly: boolean;
  readonly isLazy: boolean;
}

const list = (folder: string): string[] =>
  readdirSync(join(source, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return list(path);
    return entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts") ? [path] : [];
  });

function importsOf(file: string): Import[] {
  const text = readFileSync(join(source, file), "utf8");
  const found = text.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[\s\S]*?\sfrom\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm,
  );
  return [...found].map(([, type, specifier, lazy]) => {
    const name = specifier ?? lazy ?? "";
    const isOwn = name.startsWith(".");
    const target = isOwn ? posix(normalize(join(dirname(file), name))) : name;
    return { file, target, isOwn, isTypeOnly: type !== undefined, isLazy: lazy !== undefined };
  });
}

const posix = (path: string): string => path.split(sep).join("/");

/** Source files below src/, tests not counted. */
export const files: readonly string[] = list(".").map((file) => posix(normalize(file)));

export const imports: readonly Import[] = files.flatMap(importsOf);

/** The first step of `path` inside `folder`: a file or a sub-folder. Undefined if the path leads elsewhere. */
export const entryOf = (folder: string, path: string): string | undefined =>
  path.startsWith(`${folder}/`) ? path.slice(folder.length + 1).split("/")[0] : undefined;

/** Every folder that holds source files, at any depth, and those between it and src/. */
export function foldersOf(paths: readonly string[]): string[] {
  const folders = new Set<string>();
  for (const path of paths) {
    for (let folder = dirname(path); folder !== "."; folder = dirname(folder)) folders.add(folder);
  }
  return [...folders].sort();
}

/** An import between two entries of one folder, with the files that need it. */
export interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly because: string;
}

export interface FolderGraph {
  readonly folder: string;
  readonly entries: readonly string[];
  readonly arrows: readonly Arrow[];
}

/** What a folder looks like from the inside: its entries, and which imports which, be it only a type. */
export function folderGraph(folder: string, paths: readonly string[], all: readonly Import[]): FolderGraph {
  const entries = new Set(paths.flatMap((path) => entryOf(folder, path) ?? []));
  const arrows = new Map<string, Arrow>();
  for (const { file, target } of all) {
    const [from, to] = [entryOf(folder, file), entryOf(folder, target)];
    if (from === undefined || to === undefined || from === to) continue;
    const name = `${from} > ${to}`;
    if (!arrows.has(name)) arrows.set(name, { from, to, because: `${file} imports ${target}` });
  }
  return { folder, entries: [...entries].sort(), arrows: [...arrows.values()] };
}

/** Groups of entries that import each other round in a circle, each group sorted by name. */
export function circlesOf({ entries, arrows }: FolderGraph): string[][] {
  const reach = new Map(entries.map((entry) => [entry, reachableFrom(entry, arrows)]));
  const isTogether = (a: string, b: string) => reach.get(a)?.has(b) === true && reach.get(b)?.has(a) === true;
  const groups = new Map<string, string[]>();
  for (const entry of entries) {
    const group = entries.filter((other) => other === entry || isTogether(entry, other));
    if (group.length > 1) groups.set(group.join(), group);
  }
  return [...groups.values()];
}

function reachableFrom(start: string, arrows: readonly Arrow[]): ReadonlySet<string> {
  const reached = new Set<string>();
  const visit = (entry: string): void => {
    for (const { from, to } of arrows) {
      if (from !== entry || reached.has(to)) continue;
      reached.add(to);
      visit(to);
    }
  };
  visit(start);
  return reached;
}
