/**
 * The licences of what the executables contain. A bundle carries other people's code without their licence comments, and
 * nearly every free licence asks that its text goes with the code: it goes into one file beside the executables.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Licences that allow what we do, with their text beside the code. Another one is for a person to read first. */
const known = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "(Apache-2.0 AND BSD-3-Clause)",
]);

/** The folder of the package that a bundled file is from; undefined for our own files. */
function packageFolder(input) {
  const [, folder] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input) ?? [];
  return folder;
}

function describe(root, folder) {
  const path = join(root, folder);
  const { name, version, license } = JSON.parse(readFileSync(join(path, "package.json"), "utf8"));
  if (!known.has(license)) throw new Error(`${name} ${version}: may its licence, ${license}, go into the executables?`);
  const texts = readdirSync(path)
    .filter((file) => /^(?:licen[cs]e|notice|copying)(?:[.-]|$)/i.test(file))
    .sort()
    .map((file) => readFileSync(join(path, file), "utf8").trim());
  return { title: `${name} ${version} (${license})`, text: texts.join("\n\n") };
}

/**
 * @param {string} root
 * @param {Iterable<string>} inputs files that went into the bundles, below the root
 */
export function thirdPartyLicences(root, inputs) {
  const folders = new Set([...inputs].map(packageFolder).filter((folder) => folder && existsSync(join(root, folder))));
  const byText = new Map();
  for (const { title, text } of [...folders].map((folder) => describe(root, folder))) {
    byText.set(text, [...(byText.get(text) ?? []), title]);
  }
  const sections = [...byText].map(([text, titles]) => {
    const names = [...new Set(titles)].sort().join("\n");
    return `${names}\n\n${text === "" ? "Packages without a text of their own: what is named above holds. The text of the Apache License stands with other packages here." : text}`;
  });
  const rule = "\n\n----------------------------------------------------------------------\n\n";
  return `${["The executables beside this file contain the following packages.", ...sections.sort()].join(rule)}\n`;
}
