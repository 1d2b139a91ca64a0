/** The banned words of CONTRIBUTING.md ("Words"): one word for one act, and plain English for those who learned it late. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { repositoryFiles } from "./citations.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

interface BannedWord {
  readonly name: string;
  /** Over identifiers too, as {@link wordsOf} writes them. */
  readonly pattern: RegExp;
  /** What to write instead. */
  readonly instead: string;
}

const banned: readonly BannedWord[] = [
  { name: "doom", pattern: /\bdoom/gi, instead: "schedule for deletion; pending deletion" },
  { name: "abandon", pattern: /\babandon/gi, instead: "schedule for deletion; give up (a caller)" },
  { name: "dispose", pattern: /\bdispos/gi, instead: "schedule for deletion" },
  {
    name: "retire",
    // AWS's own word for grants stays: RetireGrant, ListRetirableGrants, RetiringPrincipal.
    pattern: /\bretir(?!(?:e|es|ed|ing|able)\W*(?:grants?|principals?|service ?principal))/gi,
    instead: "schedule for deletion; replace",
  },
  { name: "leftover", pattern: /\bleft ?-?overs?\b/gi, instead: "orphan; stale alias" },
  { name: "surplus", pattern: /\bsurplus/gi, instead: "orphan; duplicate" },
  { name: "overdue", pattern: /\boverdue/gi, instead: "stale" },
  { name: "gone", pattern: /\bgone\b/gi, instead: "deleted, ended, lost, not there" },
  {
    name: "somebody",
    pattern: /\b(?:some|any|no)body\b/gi,
    instead: "who or what it is: a server, a caller, an operator",
  },
  { name: "mend", pattern: /\bmend(?:s|ed|ing)?\b/gi, instead: "set, fix, change: what is to be done" },
  { name: "keep alive", pattern: /\b(?:keep|keeps|keeping|kept)(?: \w+){0,2} alive\b/gi, instead: "refresh" },
  { name: "on its way out", pattern: /\bon (?:its|their) way out\b/gi, instead: "pending deletion" },
  { name: "neglect", pattern: /\b(?:neglect|unattended)/gi, instead: "stale; not refreshed" },
];

/** A place where a word stays. */
interface Allowed {
  readonly file: string;
  /** What the line holds. */
  readonly text: string;
  readonly why: string;
}

const isConsequence = "what follows from a failed task is a value in the log: operators may look for it";
const isReason = "a value of the log field `rule`: operators may look for it";
const isGlossary = "the glossary names what not to write";
const isNode = "an option of Node's HTTP";
const isLanguage = "ECMAScript's name of what `using` calls";

const allowed: readonly Allowed[] = [
  { file: "src/kms-emulator/emulator.ts", text: "[Symbol.asyncDispose]", why: isLanguage },
  { file: "src/kms-emulator/in-process.ts", text: "[Symbol.dispose]", why: isLanguage },
  { file: "CONTRIBUTING.md", text: "| schedule for deletion |", why: isGlossary },
  { file: "CONTRIBUTING.md", text: "| refresh |", why: isGlossary },
  { file: "CONTRIBUTING.md", text: "| stale |", why: isGlossary },
  { file: "CONTRIBUTING.md", text: "| orphan |", why: isGlossary },
  { file: "CONTRIBUTING.md", text: "| pending deletion |", why: isGlossary },
  { file: "CONTRIBUTING.md", text: "somebody, nobody, anybody (say who", why: isGlossary },
  { file: "CONTRIBUTING.md", text: "gone (deleted, ended, not there); mend (", why: isGlossary },
  { file: "src/key-manager/removal/scans/prune-by-tags.ts", text: "servers that are gone", why: isConsequence },
  { file: "src/key-manager/removal/scans/prune-stale-aliases.ts", text: "servers that are gone", why: isConsequence },
  { file: "test/upkeep/permissions.test.ts", text: "/servers that are gone are not pruned/", why: isConsequence },
  { file: "src/key-manager/removal/orphans-at-start.ts", text: '"overdue"', why: isReason },
  { file: "docs/pruning.md", text: "| `overdue` |", why: isReason },
  { file: "src/key-manager/upkeep/refresh-aliases.ts", text: "gone", why: "a field of the debug line `Task done`" },
  {
    file: "test/simulation/histories/live-operator.ts",
    text: "retired-$",
    why: "a server is retired there, not a key",
  },
  { file: "bench/kms-stub.ts", text: "keepAliveTimeout", why: isNode },
  { file: "src/aws/transport/connection.ts", text: "setKeepAlive", why: isNode },
  { file: "src/aws/transport/replay.ts", text: "keepAlive: false", why: isNode },
  { file: "src/aws/network/network-handler.ts", text: "keepAlive: true", why: isNode },
  { file: "src/kms-emulator/http/server.ts", text: "keepAliveTimeout", why: isNode },
  { file: "test/emulator/process/kill.test.ts", text: "keepAlive: true", why: isNode },
  { file: "test/emulator/process/wire.test.ts", text: "keepAlive: true", why: isNode },
  { file: "test/emulator/process/wire.test.ts", text: "keeps connections alive", why: "HTTP's word for connections" },
];

/** Splits identifiers into words: `isGone`, `IS_GONE` and `is-gone` all hold "gone". */
const wordsOf = (line: string): string =>
  line
    .replaceAll(/([a-z0-9])([A-Z])/g, "$1 $2")
    .replaceAll(/([A-Z])([A-Z][a-z])/g, "$1 $2")
    .replaceAll("_", " ");

function bannedIn(
  text: string,
): { readonly line: number; readonly text: string; readonly words: readonly BannedWord[] }[] {
  return text.split("\n").flatMap((line, index) => {
    const words = banned.filter(({ pattern }) => wordsOf(line).search(pattern) >= 0 || line.search(pattern) >= 0);
    return words.length === 0 ? [] : [{ line: index + 1, text: line, words }];
  });
}

const isText = (path: string): boolean => /\.(?:ts|mjs|md|go|ya?ml|json|sh)$|^\.ci\/run$/.test(path);

/**
 * Not looked at: what others wrote or a generator made, this list itself, and the change log, which lists old words beside
 * the new ones.
 */
const isOthers = (path: string): boolean =>
  path.startsWith("src/gen/") ||
  path.endsWith(".gen.ts") ||
  /(?:^|\/)(?:testdata|vectors)\//.test(path) ||
  ["package-lock.json", "CHANGELOG.md", "test/words.test.ts"].includes(path);

const findings = repositoryFiles()
  .filter((path) => isText(path) && !isOthers(path))
  .flatMap((file) => bannedIn(readFileSync(join(root, file), "utf8")).map((found) => ({ file, ...found })));

const isAllowed = (found: { readonly file: string; readonly text: string }): boolean =>
  allowed.some(({ file, text }) => file === found.file && found.text.includes(text));

describe("words", () => {
  it("that are banned do not occur", () => {
    const places = findings
      .filter((found) => !isAllowed(found))
      .map(({ file, line, words }) => `${file}:${line}: ${words.map(({ name, instead }) => `${name} (${instead})`)}`);
    assert.deepEqual(places, []);
  });

  it("that are allowed still occur, each where it is allowed", () => {
    const idle = allowed.filter(
      ({ file, text }) => !findings.some((found) => found.file === file && found.text.includes(text)),
    );
    assert.deepEqual(idle, []);
  });

  it("are found in prose, in identifiers of every case, and not inside other words", () => {
    const names = (text: string) => bannedIn(text).flatMap(({ words }) => words.map(({ name }) => name));
    assert.deepEqual(names("It is gone for good."), ["gone"]);
    assert.deepEqual(names("const isGone = RETIRED_KEY;"), ["retire", "gone"]);
    assert.deepEqual(names("mendFor(keepAliveMs, doomedKeys)"), ["doom", "mend", "keep alive"]);
    assert.deepEqual(names("Nobody kept the key alive; what is left over is on its way out"), [
      "leftover",
      "somebody",
      "keep alive",
      "on its way out",
    ]);
    assert.deepEqual(names("amended, a recommendation, hexagone, the embodied"), []);
  });
});
