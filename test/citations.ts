/** What documents and comments point to: pages, their sections, files. Read here, judged in `test/docs.test.ts`. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A file of the repository that holds prose: a Markdown page whole, of source code only the comments. */
export interface Prose {
  readonly path: string;
  readonly text: string;
}

export interface Citation {
  /** Who points. */
  readonly from: string;
  /** A path below the root. */
  readonly page: string;
  readonly section?: string;
  /** What a link has behind its `#`. */
  readonly anchor?: string;
}

const notOurs = new Set(["node_modules", "dist", ".git", ".cache", "coverage", "gen"]);

/** Every file of the repository, as paths with `/` below the root; generated code excepted. */
export function repositoryFiles(folder = ""): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name)) return [];
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`;
    return entry.isDirectory() ? repositoryFiles(path) : [path];
  });
}

/** Comments, each with its marks taken away and its lines joined, so that a citation may run over a line's end. */
function commentsOf(source: string): string {
  const blocks = [...source.matchAll(/\/\*\*?([\s\S]*?)\*\//g)].map(([, text]) => (text ?? "").replace(/^\s*\*/gm, ""));
  const lines = [...source.matchAll(/(?:^[ \t]*\/\/.*\n)+|[;{},] \/\/ .*$/gm)].map(([text]) =>
    text.replaceAll("//", ""),
  );
  return [...blocks, ...lines].map((text) => text.replace(/\s+/g, " ")).join("\n");
}

export function readProse(files: readonly string[]): Prose[] {
  return files.flatMap((path) => {
    const read = () => readFileSync(join(root, path), "utf8");
    if (path.endsWith(".md")) return [{ path, text: read() }];
    return /\.(?:ts|mjs|go|proto)$/.test(path) ? [{ path, text: commentsOf(read()) }] : [];
  });
}

/** A page below docs/, alone or with `, "Section", "Another"` behind it: one citation for each section, or one for the page. */
export function citationsIn({ path, text }: Prose): Citation[] {
  const found = text.matchAll(/(?<![\w/.])(docs\/[\w/-]+\.md)((?:,\s+"[^"]+")*)/g);
  return [...found].flatMap(([, page = "", sections = ""]): Citation[] => {
    const named = [...sections.matchAll(/"([^"]+)"/g)].map(([, section = ""]) => section.replace(/\s+/g, " "));
    return named.length === 0 ? [{ from: path, page }] : named.map((section) => ({ from: path, page, section }));
  });
}

/** Links of a Markdown page to files of the repository and to sections. */
export function linksIn({ path, text }: Prose): Citation[] {
  if (!path.endsWith(".md")) return [];
  const found = text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g);
  return [...found].map(([, target = "", anchor]) => {
    const page =
      target === ""
        ? path
        : normalize(join(dirname(path), target))
            .split(sep)
            .join("/");
    return anchor === undefined ? { from: path, page } : { from: path, page, anchor };
  });
}

/** Source files that prose names: whole paths anywhere, and in a page's code marks also the last parts of one. */
export function filesNamedIn({ path, text }: Prose): string[] {
  const whole = text.matchAll(
    /(?<![\w/.-])((?:src|test|scripts|bench|examples|proto)\/[\w./-]+\.(?:ts|mjs|go|json|md|proto))\b/g,
  );
  const short = path.endsWith(".md") ? text.matchAll(/`([\w-]+(?:[/.][\w-]+)*\.(?:ts|mjs))`/g) : [];
  return [...whole, ...short].map(([, name = ""]) => name);
}

/** Text of a page's headings. */
export function sectionsOf(page: string): string[] {
  const text = readFileSync(join(root, page), "utf8").replace(/^```[\s\S]*?^```/gm, "");
  return [...text.matchAll(/^#{1,6} (.+)$/gm)].map(([, title = ""]) => title.trim());
}

/** The anchor that GitHub gives a heading. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replaceAll(" ", "-");

/** Folders in a page's block of kind `tree`: two spaces a level, a `/` behind each name, then what it is. */
export function treeIn(text: string): string[] {
  const [, block = ""] = /^```tree\n([\s\S]*?)^```/m.exec(text) ?? [];
  const above: string[] = [];
  return [...block.matchAll(/^( *)([\w-]+)\/(?: |$)/gm)].map(([, indent = "", name = ""]) => {
    above.length = indent.length / 2;
    above.push(name);
    return above.join("/");
  });
}
