/** All that a plugin imports, as one text of JavaScript. */
import { createRequire, isBuiltin } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";

/** The little of esbuild that is used; it is the project's own, and not a dependency of this package. */
interface Esbuild {
  build(options: object): Promise<{ readonly outputFiles: readonly { readonly text: string }[] }>;
}

interface Bundler {
  onResolve(
    filter: { readonly filter: RegExp; readonly namespace?: string },
    resolve: (found: { readonly path: string; readonly namespace: string }) => object | undefined,
  ): void;
  onLoad(
    filter: { readonly filter: RegExp; readonly namespace: string },
    load: (found: { readonly path: string }) => object,
  ): void;
}

/**
 * The body of an async function whose parameters are `require` and `importMetaUrl`: ES modules with `await` at their top
 * can be in it, which no CommonJS bundle has, and it needs no file system and no loader, which an ES module would.
 */
export async function bundleText(entry: string): Promise<string> {
  const { build } = await fromProject<Esbuild>("esbuild", entry);
  const { outputFiles } = await build({
    entryPoints: [path.resolve(entry)],
    bundle: true,
    write: false,
    platform: "node",
    target: "node20",
    format: "esm",
    keepNames: true,
    legalComments: "none",
    logLevel: "warning",
    define: { "import.meta.url": "importMetaUrl" },
    plugins: [{ name: "builtins", setup: requireBuiltins }],
  });
  return outputFiles[0]?.text ?? "";
}

/** Leaves no `import` of Node's own modules in the bundle: each is a module of one `require`. */
function requireBuiltins(bundler: Bundler): void {
  const namespace = "builtin";
  bundler.onResolve({ filter: /.*/ }, (found) => {
    if (!isBuiltin(found.path)) return undefined;
    return found.namespace === namespace ? { path: found.path, external: true } : { path: found.path, namespace };
  });
  bundler.onLoad({ filter: /.*/, namespace }, (found) => ({
    contents: `module.exports = require(${JSON.stringify(found.path)});`,
    loader: "js",
  }));
}

/** Imports a tool that the project of `entry` has installed. @throws Error that says what to install */
export async function fromProject<Module>(name: string, entry: string): Promise<Module> {
  const require = createRequire(path.resolve(entry));
  let file: string;
  try {
    file = require.resolve(name);
  } catch (cause) {
    throw new Error(`${name} is not installed in the project of ${entry}: npm install --save-dev ${name}`, { cause });
  }
  const module = (await import(pathToFileURL(file).href)) as Module & { readonly default?: Module };
  return module.default ?? module;
}
