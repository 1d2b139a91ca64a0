/**
 * Writes docs/plugin-sdk-api.md: every name that the libraries for authors of plugins export, with its docstring and its
 * declaration, from the declarations that the compiler has made in dist/lib. With `--check` it only says whether the page is as
 * it would be written. (docs/decisions/0033-api-reference.md)
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const built = join(root, "dist/lib");
const page = join(root, "docs/plugin-sdk-api.md");

const modules = [
  { title: "spire-plugin-sdk", entry: "plugin-sdk/index" },
  { title: "spire-plugin-sdk/testing", entry: "plugin-sdk/testing/index" },
  { title: "spire-plugin-sdk/go-plugin", entry: "go-plugin/index" },
  { title: "spire-plugin-sdk/hcl", entry: "hcl/index" },
];

/** What an index exports: the name there, the name in its file, and the file. */
function exportsOf(entry) {
  const file = join(built, `${entry}.d.ts`);
  const lists = readFileSync(file, "utf8").matchAll(/^export (?:type )?\{([^}]*)\} from "([^"]+)";/gm);
  return [...lists].flatMap(([, list, from]) =>
    list
      .split(",")
      .map((one) => one.trim().replace(/^type /, ""))
      .filter((one) => one !== "")
      .map((one) => {
        const [own, name = own] = one.split(" as ");
        return { name, own, file: join(dirname(file), from.replace(/\.(?:js|ts)$/, ".d.ts")) };
      }),
  );
}

/** The declaration of a name, as text without its docstring, and the docstring. */
function declarationOf({ own, file }) {
  const text = readFileSync(file, "utf8");
  const found = new RegExp(
    `^(?:export )?(?:declare )?(?:abstract )?(?:function|class|interface|type|const|enum) ${own}\\b`,
    "m",
  ).exec(text);
  if (found === null) {
    // It only passes the name on.
    const from = new RegExp(`^import type \\{[^}]*\\b${own}\\b[^}]*\\} from "([^"]+)";`, "m").exec(text)?.[1];
    if (from === undefined) throw new Error(`${file} does not declare ${own}`);
    return declarationOf({ own, file: join(dirname(file), from.replace(/\.(?:js|ts)$/, ".d.ts")) });
  }
  const before = text.slice(0, found.index).trimEnd();
  const doc = before.endsWith("*/") ? before.slice(before.lastIndexOf("/**")) : "";
  return {
    doc: proseOf(doc),
    code: text.slice(found.index, endOf(text, found.index)).replace(/^export (?:declare )?/, ""),
  };
}

/** After the first `;` or `}` that stands at the outermost level, at the end of a line. */
function endOf(text, start) {
  let depth = 0;
  for (let index = start; index < text.length; index += 1) {
    const char = text[index];
    if ("{([".includes(char)) depth += 1;
    else if ("})]".includes(char)) depth -= 1;
    if (depth === 0 && (char === ";" || char === "}") && /^(?:\n|$)/.test(text.slice(index + 1))) return index + 1;
  }
  return text.length;
}

/** A docstring as Markdown: tags begin a line of their own. */
function proseOf(doc) {
  return doc
    .replace(/^\/\*\*\s?|\s*\*\/$/g, "")
    .split("\n")
    .map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
    .join("\n")
    .trim()
    .replace(/\{@link ([^}]+)\}/g, "`$1`")
    .replace(/^@generated.*$/gm, "")
    .replace(/(?:^|[ \n])@(returns|throws|param|example)\b/g, (_, tag) => `\n\n*${tag}*`)
    .replace(/\n{3,}/g, "\n\n")
    .trim();
}

/** By file and name there: where it is told already. */
const told = new Map();

function sectionOf({ title, entry }) {
  const entries = exportsOf(entry).sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
  const parts = entries.map((one) => {
    const key = `${one.file} ${one.own}`;
    const place = told.get(key);
    if (place !== undefined) return `### ${one.name}\n\nAs in \`${place}\`.`;
    told.set(key, title);
    const { doc, code } = declarationOf(one);
    return [`### ${one.name}`, doc, `\`\`\`ts\n${code}\n\`\`\``].filter((part) => part !== "").join("\n\n");
  });
  return [`## ${title}`, ...parts].join("\n\n");
}

const text = `# The libraries for authors of plugins, name by name

Made by \`npm run api\` from the declarations in \`dist/lib\`. [The guide](plugin-guide.md) shows how they are used. In the package
\`spire-aws-kms\` the same libraries are \`spire-aws-kms/plugin-sdk\`, \`spire-aws-kms/plugin-sdk/testing\`, \`spire-aws-kms/go-plugin\` and
\`spire-aws-kms/hcl\`.

${modules.map(sectionOf).join("\n\n")}
`;

if (process.argv.includes("--check")) {
  if (readFileSync(page, "utf8") !== text) {
    process.stderr.write('docs/plugin-sdk-api.md is not what the declarations say; run "npm run api"\n');
    process.exitCode = 1;
  }
} else writeFileSync(page, text);
