/** `spire-plugin-sdk create`: a project with a plugin that works, its tests and its build. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { kindNames, templateOf } from "./templates/kinds.ts";
import { projectFiles } from "./templates/project.ts";

export interface CreateOptions {
  readonly kind: string;
  /** Its last part becomes the plugin's name. */
  readonly folder: string;
  /** What package.json says of the SDK: a range, or the path of a tarball. */
  readonly sdk: string | undefined;
}

/** @returns what to do next */
export function createProject({ kind, folder, sdk }: CreateOptions): string {
  const template = templateOf(kind);
  if (template === undefined) throw new Error(`there is no kind "${kind}"; the kinds are ${kindNames.join(", ")}`);
  const name = path.basename(path.resolve(folder));
  if (!/^[a-z][a-z0-9_-]*$/.test(name)) {
    throw new Error(`"${name}" is no name for a plugin: small letters, digits, "_" and "-", and a letter first`);
  }
  if (existsSync(folder) && readdirSync(folder).length > 0) throw new Error(`${folder} is there and not empty`);
  for (const [file, text] of Object.entries(projectFiles(name, template, sdkSpec(sdk, folder)))) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    writeFileSync(path.join(folder, file), text);
  }
  return `${folder}: a ${template.type} plugin\n\n  cd ${folder}\n  npm install\n  npm test\n`;
}

/** A tarball is named from the project's folder, whatever folder the command was given it in. */
function sdkSpec(given: string | undefined, folder: string): string {
  if (given === undefined) return `^${ownVersion()}`;
  return given.endsWith(".tgz") ? `file:${path.relative(folder, given)}` : given;
}

function ownVersion(): string {
  for (let folder = path.dirname(fileURLToPath(import.meta.url)); ; folder = path.dirname(folder)) {
    const file = path.join(folder, "package.json");
    if (existsSync(file)) return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;
  }
}
