/** Projects that `spire-plugin-sdk create` makes, among the packed library and the tools that they name. */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { packLibraries, projectWith, root } from "./installed-libraries.ts";

/** A folder that has the library from its tarball; tools are those of this repository. */
export interface Workshop {
  readonly folder: string;
  /** Runs the library's command there. */
  command(...args: readonly string[]): string;
  /** Runs an npm script of a project there. */
  npm(project: string, script: string): string;
  remove(): void;
}

const tools = ["typescript", "tsx", "esbuild", "valibot", "postject"];

export function openWorkshop(): Workshop {
  const { folder: packed, tarballs } = packLibraries();
  const { folder } = projectWith("spire-plugin-sdk", tarballs.get("spire-plugin-sdk") ?? "");
  const modules = join(folder, "node_modules");
  for (const tool of tools) {
    if (!existsSync(join(modules, tool))) symlinkSync(join(root, "node_modules", tool), join(modules, tool));
  }
  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(join(modules, "spire-plugin-sdk/bin/spire-plugin-sdk.js"), join(bin, "spire-plugin-sdk"));
  const env = { ...process.env, PATH: [bin, join(root, "node_modules/.bin"), process.env.PATH].join(":") };
  const run = (cwd: string, command: string, args: readonly string[]): string => {
    const options = { cwd, env, encoding: "utf8", stdio: "pipe", timeout: 300_000 } as const;
    try {
      return execFileSync(command, [...args], options);
    } catch (error) {
      const { stdout, stderr } = error as { readonly stdout?: string; readonly stderr?: string };
      throw new Error(`${command} ${args.join(" ")} failed:\n${stdout}\n${stderr}`, { cause: error });
    }
  };
  return {
    folder,
    command: (...args) => run(folder, "spire-plugin-sdk", args),
    npm: (project, script) => run(join(folder, project), "npm", ["run", "--silent", script]),
    remove() {
      for (const one of [packed, folder]) rmSync(one, { recursive: true, force: true });
    },
  };
}

/** Copies one of examples/ into the workshop. */
export function copyExample({ folder }: Workshop, name: string): void {
  cpSync(join(root, "examples", name), join(folder, name), {
    recursive: true,
    filter: (source) => !/[\\/](?:node_modules|dist)$/.test(source),
  });
}
