// Makes one executable file out of an entry and everything it imports.
//
// V8 reads a file from end to end before it runs the first line, and three megabytes of AWS SDK cost as much as starting
// Node. So what is imported with `import()` ("later") stands in the same file as a comment, which V8 skips, and is compiled
// from the function's own text when it is wanted: nothing is read from disk again, and plugin_checksum covers all of it.
// The rest is a comment too, because a Node.js that is too old must get as far as saying so: see executable-head.mjs.
import { join, relative } from "node:path";
import { build } from "esbuild";
import { closingLine, floorsOf, openingLines } from "./executable-head.mjs";

// A comment cannot hold its own end.
const commentEnd = "*/";
const commentEndStandIn = "*@/";

/** @param {{ root: string, version: string, engines: string, inputs?: Set<string>, isStandalone?: boolean }} project */
const optionsFor = ({ root, version }) => ({
  absWorkingDir: root,
  bundle: true,
  platform: "node",
  target: "node20",
  format: "cjs",
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
  return asAscii(outputFiles[0].text);
}

/**
 * One character beyond Latin-1 makes V8 keep all of a text in two bytes a character. esbuild escapes what stands in strings, and
 * leaves comments and regular expressions as they are; an escape means the same there.
 */
const asAscii = (text) =>
  text.replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);

/** A function whose text is a comment: V8 does not compile it, and `compile` in the file gets it out again. */
function asComment(name, text) {
  if (text.includes(commentEndStandIn)) throw new Error(`${name}: the stand-in for the end of a comment is taken`);
  return `function ${name}() {/*\n${text.replaceAll(commentEnd, commentEndStandIn)}\n*/}\n`;
}

/**
 * Gives such texts to V8. It is a text itself, compiled apart: what is compiled from the file keeps the whole file in memory, and
 * of this nothing remains there but the parts that are in use.
 */
const boot = String.raw`(function (require, holders, filenames) {
  function compile(name) {
    const text = holders[name].toString();
    delete holders[name];
    const code = text.slice(text.indexOf("/*") + 2, text.lastIndexOf("*/")).replaceAll(${JSON.stringify(commentEndStandIn)}, "*" + "/");
    const module = { exports: {} };
    const { Script } = require("node:vm");
    new Script("(function (require, module, later) {" + code + "\n})", { filename: filenames[name] }).runInThisContext()(require, module, later);
    return module.exports;
  }
  let laterModules;
  function later(name) {
    laterModules = laterModules || compile("laterText");
    return laterModules[name]();
  }
  compile("headText");
})`;

/** @param filenames by the texts' names, for stack traces; `headText` runs first, `laterText` when it is wanted */
const bootBy = (filenames) => `
new (require("node:vm").Script)(${JSON.stringify(boot)}, { filename: "boot.js" }).runInThisContext()(
  require, { ${Object.keys(filenames).join(", ")} }, ${JSON.stringify(filenames)});
`;

/** The whole file: the head, and texts that are compiled once the head has found Node.js new enough for them. */
const fileText = (name, { version, engines, isStandalone }, run, texts) =>
  [
    // Nothing to check where Node.js comes along, and `require` is always there.
    isStandalone ? "(function (require) {" : openingLines(name, version, floorsOf(engines)),
    ...texts.map(([holder, text]) => asComment(holder, text)),
    run,
    isStandalone ? "})(require);\n" : closingLine,
  ].join("\n");

/** The file's text. Runs under Node as CommonJS and as ESM, whatever package.json lies above it. */
export async function executableText(project, entry, name) {
  const text = await bundle({ ...optionsFor(project), entryPoints: [entry] }, project.inputs);
  return fileText(name, project, bootBy({ headText: `${name}.js` }), [["headText", text]]);
}

/**
 * The same for a plugin, whose start-up counts: what is imported with `import()` is compiled when it is wanted.
 *
 * A module that is imported both ways is there twice. Only what holds no state and throws nothing that the other part
 * tells by `instanceof` may be; the handshake's part passes its objects on and catches by message.
 */
export async function pluginText(project, entry, name) {
  const { root } = project;
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
  const run = bootBy({ headText: `${name}.js`, laterText: "later.js" });
  return fileText(name, project, run, [
    ["headText", head],
    ["laterText", body],
  ]);
}
