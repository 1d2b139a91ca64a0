/**
 * The first lines of an executable, which are both shell and JavaScript: the kernel starts `/bin/sh`, and that becomes
 * Node.js. Where there is no `node`, or one that is too old, the operator must be told, and SPIRE shows at error only two
 * things: the line that stands where the handshake should, and a line of hclog's JSON on stderr. Both are written.
 *
 * What follows stands in comments, so that an old Node.js has only these lines to parse, and the few at the end: they
 * keep to what Node.js 6 understands.
 */

/** The numbers of `^20.19.0 || >=22.12.0`: a floor in an older line, and one from which on everything is new enough. */
export function floorsOf(engines) {
  const found = /^\^(\d+)\.(\d+)\.0 \|\| >=(\d+)\.(\d+)\.0$/.exec(engines);
  if (found === null) throw new Error(`engines.node is not of the form that the executables' head checks: ${engines}`);
  const [, oldLine, oldMinor, newLine, newMinor] = found.map(Number);
  return { oldLine, oldMinor, newLine, newMinor };
}

/** In words, for people: without quotes of any kind, since it goes into shell, JavaScript and JSON. */
export const floorInWords = ({ oldLine, oldMinor, newLine, newMinor }) =>
  `Node.js ${oldLine}.${oldMinor} or a later ${oldLine}.x, or ${newLine}.${newMinor} or newer`;

/**
 * V8 lets a heap grow to four times of what lives in it where it may have gigabytes, and to less than one and a half where it may
 * have half of one, which is ten times what a plugin needs. A young generation of 4 MB instead of 16 costs nothing where V8 has one
 * thread beside the main one; with more of them, which wait for each other in each small collection, it would cost a tenth.
 */
export const heapLimits = "--max-old-space-size=512 --max-semi-space-size=4 --v8-pool-size=1";

/** What the head below asks in the JavaScript of old times. */
export function isNewEnough(version, { oldLine, oldMinor, newLine, newMinor }) {
  const [major, minor] = version.split(".").map(Number);
  return (major === oldLine && minor >= oldMinor) || (major === newLine && minor >= newMinor) || major > newLine;
}

const advice = "Or use the standalone executable, which needs none (docs/install.md).";

/**
 * What Node.js is told to run instead of the file, of which it would read all: only its head, as far as this many bytes. An old
 * Node.js must understand this, too.
 */
const headAlone = (length) =>
  `-e 'var r=typeof require=="function"?require:process.getBuiltinModule("module").createRequire(process.execPath),f=r("fs"),d=f.openSync(process.argv[1],"r"),b=Buffer.alloc(${length});f.readSync(d,b,0,b.length,0);f.closeSync(d);r("vm").runInThisContext(b.toString("latin1"),process.argv[1])'`;

/**
 * @param {string} name of the executable
 * @param {ReturnType<typeof floorsOf>} floors
 * @param {string} [headLength] where the rest is a comment and need not be read
 */
export function openingLines(name, version, floors, headLength) {
  const needs = `${name} needs ${floorInWords(floors)}`;
  const { oldLine, oldMinor, newLine, newMinor } = floors;
  return `#!/bin/sh
":" // # spire-aws-kms ${version}. Built from source; do not edit: plugin_checksum covers this file.
":" // # To sh these lines are commands, to Node.js a string and a comment. The trap runs only where node cannot be started.
":" //; say() { m="${needs}; no node that can be started is on PATH$p. Put it on the PATH of SPIRE Server. ${advice}"
":" //; if [ "$KeyManager" = KeyManager ]; then echo "$m"; echo '{"@level":"error","@module":"${name}","@message":"'"$m"'"}' >&2; else echo "$m" >&2; fi; }
":" //; case $PATH in "") p=", which is empty";; *[!A-Za-z0-9_./:+~@-]*) p=;; *) p=" ($PATH)";; esac
":" //; trap 'c=$?; say; exit $c' EXIT
":" //; exec node ${heapLimits} ${headLength === undefined ? "" : `${headAlone(headLength)} `}"$0" "$@"
;(function (require) {
var v = process.versions.node.split("."), major = +v[0], minor = +v[1];
if (!(major === ${oldLine} && minor >= ${oldMinor} || major === ${newLine} && minor >= ${newMinor} || major > ${newLine})) {
  var m = "${needs}; this is " + process.versions.node + " (" + process.execPath + "). ${advice}";
  if (process.env.KeyManager === "KeyManager") {
    console.log(m);
    m = JSON.stringify({ "@level": "error", "@module": "${name}", "@message": m });
  }
  console.error(m);
  process.exitCode = 1;
  return;
}
if (!require) require = process.getBuiltinModule("node:module").createRequire(process.execPath);`;
}

/** Under ES modules there is no \`require\`. */
export const closingLine = `})(typeof require === "function" ? require : undefined);\n`;
