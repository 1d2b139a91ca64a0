/**
 * The libraries in dist/lib that are published under names of their own, and what each consists of: the files that can be
 * reached from its entries, and the packages that those import.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
const built = join(root, "dist/lib");

/** `exports`: each subpath's entry below dist/lib; `bin`: each command's. `readme`: the page that is the package's README. */
export const libraries = [
  {
    name: "spire-plugin-sdk",
    description: "SPIRE plugins, and plugins of HashiCorp's go-plugin, in TypeScript",
    keywords: ["spire", "spiffe", "go-plugin", "plugin", "hcl"],
    exports: {
      ".": "plugin-sdk/index",
      "./testing": "plugin-sdk/testing/index",
      "./go-plugin": "go-plugin/index",
      "./hcl": "hcl/index",
    },
    bin: { "spire-plugin-sdk": "plugin-sdk/command/main" },
    readme: "src/plugin-sdk/README.md",
    renamed: [
      ["spire-aws-kms/plugin-sdk/testing", "spire-plugin-sdk/testing"],
      ["spire-aws-kms/plugin-sdk", "spire-plugin-sdk"],
      ["spire-aws-kms/go-plugin", "spire-plugin-sdk/go-plugin"],
      ["spire-aws-kms/hcl", "spire-plugin-sdk/hcl"],
    ],
  },
  {
    name: "aws-kms-emulator",
    description:
      "An AWS KMS to test against, in one process, with real cryptography, faults and a clock that can be moved",
    keywords: ["aws", "kms", "emulator", "test", "sts"],
    exports: { ".": "kms-emulator/index" },
    readme: "docs/kms-emulator.md",
    note: " The command `spire-aws-kms emulator` comes with that package; this one is the library.",
    renamed: [["spire-aws-kms/kms-emulator", "aws-kms-emulator"]],
  },
];

const packageOf = (specifier) => specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");

const importing = /^(?:import|export)\b(?:[^;"']*?\sfrom\s*)?\s*"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;

/** What a built file imports; lines of comments, which may hold examples, are passed over. */
const specifiersIn = (text) =>
  [...text.replace(/^\s*(?:\*|\/\/).*$/gm, "").matchAll(importing)].map(([, fixed, later]) => fixed ?? later);

/** Follows imports from `entry`, of code (`.js`) or of declarations (`.d.ts`). */
function follow(entry, ending, files, packages) {
  if (files.has(entry)) return;
  files.add(entry);
  const path = join(built, entry);
  if (!existsSync(path)) throw new Error(`dist/lib/${entry} is not there; run "npm run build"`);
  for (const specifier of specifiersIn(readFileSync(path, "utf8"))) {
    if (specifier.startsWith("node:")) continue;
    if (!specifier.startsWith(".")) packages.add(packageOf(specifier));
    else {
      // Declarations keep the ending of the source that they were made from.
      const target = relative(built, join(dirname(path), specifier.replace(/\.(?:js|ts)$/, ending)));
      follow(target.split(sep).join("/"), ending, files, packages);
    }
  }
}

/** Files below dist/lib and packages of npm that a library consists of. */
export function contentsOf({ exports, bin = {} }) {
  const files = new Set();
  const packages = new Set();
  for (const entry of Object.values(exports)) {
    for (const ending of [".js", ".d.ts"]) follow(`${entry}${ending}`, ending, files, packages);
  }
  for (const entry of Object.values(bin)) follow(`${entry}.js`, ".js", files, packages);
  return { files: [...files].sort(), packages: [...packages].sort() };
}
