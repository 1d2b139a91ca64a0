// Makes one executable file out of an entry and everything it imports.
//
// V8 reads a file from end to end before it runs the first line, and three megabytes of AWS SDK cost as much as starting
// Node. So what is imported with `import()` ("later") stands in the same file as a comment, which V8 skips, and is compiled
// from the function's own text when it is wanted: nothing is read from disk again, and plugin_checksum covers all of it.
import { join, relative } from "node:path";
import { build } from "esbuild";

// A comment cannot hold its own end.
const commentEnd = "*/";
const commentEndStandIn = "*@/";

/** @param {{ root: string, version: string, inputs?: Set<string> }} project */
const optionsFor = ({ root, version }) => ({
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
  keepNames: true,
  write: false,
  metafile: true,
  // Their texts stand beside the executables: see third-party-licences.mjs.
  legalComments: "none",
  logLevel: "warning",
  // `import()` of Node's own modules becomes `require`: text that is compiled later has no module to import from.
  supported: { "dynamic-import": false },
  define: { SPIRE_AWS_KMS_VERSION: JSON.stringify(version) },
});

/** Leaves dynamic imports of our own files out of a bundle and notes them. */
const laterImports = (root, found) => ({
  name: "later",
  setup(bundler) {
    bundler.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      if (kind !== "dynamic-import") return undefined;
      const file = relative(root, join(resolveDir, path));
      found.add(file);
      return { path: file, namespace: "later" };
    });
    bundler.onLoad({ filter: /.*/, namespace: "later" }, ({ path }) => ({
      contents: `module.exports = later(${JSON.stringify(path)});`,
      loader: "js",
    }));
  },
});

/** @param inputs gets the files that the bundle is made of */
async function bundle(options, inputs) {
  const { outputFiles, metafile } = await build(options);
  for (const input of Object.keys(metafile.inputs)) inputs?.add(input);
  return outputFiles[0].text;
}

const opening = (version) => `#!/usr/bin/env node
// spire-aws-kms ${version}. Built from source; do not edit: plugin_checksum covers this file.
(function (require) {`;

const closing = `})(typeof require === "function" ? require : process.getBuiltinModule("node:module").createRequire(process.execPath));
`;

/** The file's text. Runs under Node as CommonJS and as ESM, whatever package.json lies above it. */
export async function executableText(project, entry) {
  const text = await bundle({ ...optionsFor(project), entryPoints: [entry] }, project.inputs);
  return [opening(project.version), text, closing].join("\n");
}

/**
 * The same for a plugin, whose start-up counts: what is imported with `import()` is compiled when it is wanted.
 *
 * A module that is imported both ways is there twice. Only what holds no state and throws nothing that the other part
 * tells by `instanceof` may be; the handshake's part passes its objects on and catches by message.
 */
export async function pluginText(project, entry) {
  const { root, version } = project;
  const found = new Set();
  const options = optionsFor(project);
  const head = await bundle({ ...options, entryPoints: [entry], plugins: [laterImports(root, found)] }, project.inputs);
  const modules = [...found]
    .sort()
    .map((file) => `${JSON.stringify(file)}: () => require(${JSON.stringify(`./${file}`)}),`);
  const body = await bundle(
    {
      ...options,
      stdin: { contents: `module.exports = {\n${modules.join("\n")}\n};`, resolveDir: root, sourcefile: "later.js" },
    },
    project.inputs,
  );
  if (body.includes(commentEndStandIn)) throw new Error(`${entry}: the stand-in for the end of a comment is taken`);
  return `${opening(version)}
let laterModules;
function later(name) {
  laterModules ??= (() => {
    const text = laterText.toString();
    const code = text.slice(text.indexOf("/*") + 2, text.lastIndexOf("*/")).replaceAll(${JSON.stringify(commentEndStandIn)}, "*" + "/");
    const module = { exports: {} };
    const { Script } = require("node:vm");
    new Script("(function (require, module) {" + code + "\\n})", { filename: "later.js" }).runInThisContext()(require, module);
    return module.exports;
  })();
  return laterModules[name]();
}
${head}
function laterText() {/*
${body.replaceAll(commentEnd, commentEndStandIn)}
*/}
${closing}`;
}
