// Makes one executable file out of an entry and everything it imports.
//
// V8 reads a file from end to end before it runs the first line, and three megabytes of AWS SDK cost more than starting Node. So
// the file is a head, which is read and compiled at the start, and parts behind it, in a comment: what is imported with
// `import()` ("later"), and what several of those share. A part is compiled when it is wanted. All of them are read when the first is,
// and each must have the sum that the head has of it: plugin_checksum covers all that ever runs.
// What is not of the head's first lines is in comments, because a Node.js that is too old must get as far as saying so: see
// executable-head.mjs.
import { createHash } from "node:crypto";
import { basename, join, relative } from "node:path";
import { build, transform } from "esbuild";
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
  // Of a package that has both, the form of which what is not used can be left out.
  mainFields: ["module", "main"],
  write: false,
  metafile: true,
  // Their texts stand beside the executables: see third-party-licences.mjs.
  legalComments: "none",
  logLevel: "warning",
  // `import()` of Node's own modules becomes `require`: text that is compiled later has no module to import from.
  supported: { "dynamic-import": false },
  define: { SPIRE_AWS_KMS_VERSION: JSON.stringify(version) },
});

/** Packages that are required when they are wanted: gRPC reads .proto files by it for services of its own, which no plugin here serves. */
const laterPackages = ["@grpc/proto-loader"];

/** How a part asks for another that is imported later. */
const later = (file) => ({ path: `later:${file}`, external: true });

/** Leaves dynamic imports of our own files out of a bundle and notes them. */
const laterImports = (root, found) => ({
  name: "later",
  setup(bundler) {
    bundler.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      if (kind !== "dynamic-import") return undefined;
      const file = relative(root, join(resolveDir, path));
      found.add(file);
      return later(file);
    });
  },
});

const packagesLater = {
  name: "packages-later",
  setup(bundler) {
    bundler.onResolve({ filter: /^@grpc\/proto-loader$/ }, ({ kind, path }) =>
      kind === "require-call" && laterPackages.includes(path) ? later(path) : undefined,
    );
  },
};

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

const inComment = (text) => {
  if (text.includes(commentEndStandIn)) throw new Error("the stand-in for the end of a comment is taken");
  return text.replaceAll(commentEnd, commentEndStandIn);
};

/** A function whose text is a comment: V8 does not compile it, and `textOf` below gets it out again. */
const asHolder = (name, text) => `function ${name}() {/*\n${inComment(text)}\n*/}\n`;

/** Of a function that holds a text. */
const ofHolder = `function (holder) {
    const text = holder.toString();
    return text.slice(text.indexOf("/*") + 2, text.lastIndexOf("*/"));
  }`;

/**
 * Gives the texts to V8. It is a text itself, compiled apart: what is compiled from the file keeps the whole file in memory, and
 * of this nothing remains there but the parts that are in use.
 *
 * `take(name)` has the text of a part; `names` has the part of each file that is imported later.
 */
const boot = String.raw`(function (require, take, names) {
  const modules = {};
  function load(name) {
    if (modules[name]) return modules[name].exports;
    const module = (modules[name] = { exports: {} });
    const code = take(name).replaceAll(${JSON.stringify(commentEndStandIn)}, "*" + "/");
    const { Script } = require("node:vm");
    new Script("(function (require, module, exports) {" + code + "\n})", { filename: name }).runInThisContext()(requirePart, module, module.exports);
    return module.exports;
  }
  function requirePart(id) {
    if (id.startsWith("./")) return load(id.slice(2));
    return id.startsWith("later:") ? load(names[id.slice(6)]) : require(id);
  }
  return load;
})`;

/**
 * Where the file is read by its own program. Of a file that is replaced meanwhile, as of any other, nothing runs but what the head
 * has a sum of; once the first part is wanted, the file is needed no more.
 */
const ofFile = `(function (require, path, headStart, table) {
  let texts;
  function readAll() {
    const { closeSync, openSync, readSync } = require("node:fs");
    const file = openSync(path, "r");
    texts = {};
    for (const [name, start, length, sum] of table) {
      const bytes = Buffer.allocUnsafeSlow(length);
      readSync(file, bytes, 0, length, start + headStart);
      texts[name] = { bytes, sum };
    }
    closeSync(file);
  }
  return function (name) {
    if (!texts) readAll();
    const { bytes, sum } = texts[name];
    delete texts[name];
    if (require("node:crypto").createHash("sha256").update(bytes).digest("hex") !== sum) {
      throw new Error(path + " was replaced while it was started; start it again");
    }
    return bytes.latin1Slice();
  };
})`;

const compiled = (text, filename) =>
  `new (require("node:vm").Script)(${JSON.stringify(text)}, { filename: ${JSON.stringify(filename)} }).runInThisContext()`;

/** The whole file, all of it a head: what is started is compiled once its first lines have found Node.js new enough for it. */
function oneText(name, { version, engines, isStandalone }, parts, names) {
  const holders = Object.keys(parts).map((_, index) => `part${index}`);
  const holderOf = Object.keys(parts).map((part, index) => `${JSON.stringify(part)}: ${holders[index]}`);
  return [
    // Nothing to check where Node.js comes along, and `require` is always there.
    isStandalone ? "(function (require) {" : openingLines(name, version, floorsOf(engines)),
    ...Object.values(parts).map((text, index) => asHolder(holders[index], text)),
    `var holders = { ${holderOf.join(", ")} };`,
    `${compiled(boot, "boot.js")}(require, function (name) {
  var text = (${ofHolder})(holders[name]);
  delete holders[name];
  return text;
}, ${JSON.stringify(names)})(${JSON.stringify(Object.keys(parts)[0])});`,
    isStandalone ? "})(require);\n" : closingLine,
  ].join("\n");
}

const inSevenCharacters = (length) => String(length).padStart(7);

/** The head, which holds the first of the parts, and the others behind it. */
function headAndParts(name, { version, engines }, [[first, headText], ...later], names) {
  const parts = later.map(([part, text]) => [part, inComment(text)]);
  let start = "\n/*\n".length;
  const table = parts.map(([part, text]) => {
    const at = start;
    start += text.length + 1;
    return [part, at, text.length, createHash("sha256").update(text).digest("hex")];
  });
  const headFor = (length) =>
    [
      openingLines(name, version, floorsOf(engines), inSevenCharacters(length)),
      asHolder("head", headText),
      `var parts = ${compiled(ofFile, "parts.js")}(require, process.argv[1], ${inSevenCharacters(length)}, ${JSON.stringify(table)});`,
      `${compiled(boot, "boot.js")}(require, function (name) {
  return name === ${JSON.stringify(first)} ? (${ofHolder})(head) : parts(name);
}, ${JSON.stringify(names)})(${JSON.stringify(first)});`,
      closingLine,
    ].join("\n");
  // The head says its own length, in always as many characters.
  const head = headFor(headFor(0).length);
  return `${head}\n/*\n${parts.map(([, text]) => `${text}\n`).join("")}*/\n`;
}

/** The file's text. Runs under Node as CommonJS and as ESM, whatever package.json lies above it. */
export async function executableText(project, entry, name) {
  const text = await bundle({ ...optionsFor(project), entryPoints: [entry] }, project.inputs);
  return oneText(name, project, { [`${name}.js`]: text }, {});
}

/** What is imported later, in parts, each a text that asks for others by `require`; and the part of each file. */
async function laterParts(project, files) {
  const { outputFiles, metafile } = await build({
    ...optionsFor(project),
    format: "esm",
    splitting: true,
    supported: {},
    entryPoints: files,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    outdir: "parts",
    plugins: [packagesLater],
  });
  for (const input of Object.keys(metafile.inputs)) project.inputs?.add(input);
  const outputs = outputFiles.map(({ path, text }) => {
    const { entryPoint, inputs } = metafile.outputs[relative(project.root, path)];
    return { old: basename(path), entryPoint, first: entryPoint ?? Object.keys(inputs)[0] ?? "", text };
  });
  // Names of ours, which depend on no path and no release of esbuild, and say what is in the part.
  const newNames = new Map();
  for (const { old, first, entryPoint } of outputs.sort((one, other) => (one.first < other.first ? -1 : 1))) {
    const stem = `${entryPoint === undefined ? "shared-" : ""}${basename(first).replace(/\.[^.]*$/, "")}`;
    newNames.set(old, `${String(newNames.size + 1).padStart(2, "0")}-${stem}.js`);
  }
  const parts = [];
  for (const { old, text } of outputs) {
    const { code } = await transform(text, { format: "cjs", target: "node20", supported: { "dynamic-import": false } });
    const renamed = code.replace(/require\("\.\/([^"]+)"\)/g, (_, other) => `require("./${newNames.get(other)}")`);
    parts.push([newNames.get(old), asAscii(renamed)]);
  }
  const entries = outputs.filter(
    ({ entryPoint }) => files.includes(entryPoint) || laterPackages.some((name) => entryPoint?.includes(name)),
  );
  return {
    parts,
    names: Object.fromEntries(entries.map(({ old, entryPoint }) => [nameOf(entryPoint), newNames.get(old)])),
  };
}

/** A package is asked for by its name. */
const nameOf = (file) => laterPackages.find((name) => file.includes(`node_modules/${name}/`)) ?? file;

/** The same for a plugin, whose start-up counts: what is imported with `import()` is compiled when it is wanted. */
export async function pluginText(project, entry, name) {
  const found = new Set();
  const options = { ...optionsFor(project), entryPoints: [entry], plugins: [laterImports(project.root, found)] };
  const head = await bundle(options, project.inputs);
  const { parts, names } = await laterParts(project, [...[...found].sort(), ...laterPackages]);
  const all = [[`${name}.js`, head], ...parts];
  return project.isStandalone
    ? oneText(name, project, Object.fromEntries(all), names)
    : headAndParts(name, project, all, names);
}
