/**
 * One executable file, which is shell and JavaScript at once: the kernel starts `/bin/sh`, and that becomes Node.js. Where
 * there is no `node`, or one that is too old, SPIRE's operator is told: by the line that stands where the handshake should,
 * and by a line of hclog's JSON on stderr.
 *
 * All of the plugin stands in a comment, so that an old Node.js has only these lines to parse, and is compiled from there.
 */

/** The least Node.js, as in `engines` of package.json. */
export const nodeFloors = { oldLine: 20, oldMinor: 19, newLine: 22, newMinor: 12 } as const;

export interface ExecutableParts {
  /** As SPIRE's configuration names the plugin. */
  readonly name: string;
  /** See `bundleText`. */
  readonly body: string;
}

// A comment cannot hold its own end.
const commentEnd = "*/";
const commentEndStandIn = "*@/";

/** The file's text, for a machine that has Node.js. Runs whatever package.json lies above it. */
export function executableText({ name, body }: ExecutableParts): string {
  return `${openingLines(name)}${program(name, body)}})(typeof require === "function" ? require : undefined);\n`;
}

/** For a program that brings Node.js along. */
export function standaloneText({ name, body }: ExecutableParts): string {
  return `(function (require) {${program(name, body)}})(require);\n`;
}

function openingLines(name: string): string {
  const { oldLine, oldMinor, newLine, newMinor } = nodeFloors;
  const needs = `${name} needs Node.js ${oldLine}.${oldMinor} or a later ${oldLine}.x, or ${newLine}.${newMinor} or newer`;
  return `#!/bin/sh
":" // # ${name}. Built from source; do not edit: plugin_checksum covers this file.
":" // # To sh these lines are commands, to Node.js a string and a comment. The trap runs only where node cannot be started.
":" //; say() { m="${needs}; no node that can be started is on PATH$p. Put it on the PATH of SPIRE"
":" //; if [ -n "$PLUGIN_PROTOCOL_VERSIONS" ]; then echo "$m"; echo '{"@level":"error","@module":"${name}","@message":"'"$m"'"}' >&2; else echo "$m" >&2; fi; }
":" //; case $PATH in "") p=", which is empty";; *[!A-Za-z0-9_./:+~@-]*) p=;; *) p=" ($PATH)";; esac
":" //; trap 'c=$?; say; exit $c' EXIT
":" //; exec node "$0" "$@"
;(function (require) {
var v = process.versions.node.split("."), major = +v[0], minor = +v[1];
if (!(major === ${oldLine} && minor >= ${oldMinor} || major === ${newLine} && minor >= ${newMinor} || major > ${newLine})) {
  var m = "${needs}; this is " + process.versions.node + " (" + process.execPath + ")";
  if (process.env.PLUGIN_PROTOCOL_VERSIONS) {
    console.log(m);
    m = JSON.stringify({ "@level": "error", "@module": "${name}", "@message": m });
  }
  console.error(m);
  process.exitCode = 1;
  return;
}
if (!require) require = process.getBuiltinModule("node:module").createRequire(process.execPath);`;
}

function program(name: string, body: string): string {
  if (body.includes(commentEndStandIn)) throw new Error(`the plugin's text holds ${commentEndStandIn}, which is taken`);
  return `
function text() {/*
${body.replaceAll(commentEnd, commentEndStandIn)}
*/}
const { Script, constants } = require("node:vm");
const held = text.toString();
const code = held.slice(held.indexOf("/*") + 2, held.lastIndexOf("*/")).replaceAll(${JSON.stringify(commentEndStandIn)}, "*" + "/");
const script = new Script('(async function (require, importMetaUrl) { "use strict";' + code + "\\n})", {
  filename: ${JSON.stringify(`${name}.js`)},
  importModuleDynamically: constants && constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
});
const url = require("node:url").pathToFileURL(process.argv[1] || process.execPath).href;
// What is thrown at the top of a module ends the process, as it does in a module of its own.
script.runInThisContext()(require, url).catch((error) => process.nextTick(() => { throw error; }));
`;
}
