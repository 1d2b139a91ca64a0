/**
 * Answers that others have recorded from AWS (by the LocalStack project, Apache License 2.0), and how an answer of ours is
 * held against one. The file lies beside the repository; AWS_RECORDINGS names another one.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { AwsException, type EmulatorControl } from "../../../src/kms-emulator/index.ts";

export interface Recording {
  /** `dd-mm-yyyy, hh:mm:ss` */
  readonly "recorded-date": string;
  readonly "recorded-content": Readonly<Record<string, unknown>>;
}

const file =
  process.env.AWS_RECORDINGS ?? fileURLToPath(new URL("../../../../shared/aws-recordings/kms.json", import.meta.url));

export function readRecordings(): Readonly<Record<string, Recording>> | undefined {
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, Recording>>;
}

/** Asks the emulator; an exception becomes an answer like those recorded. */
export type Ask = (operation: string, input: object, region?: string) => Promise<Record<string, unknown>>;

export const askOf =
  (control: EmulatorControl): Ask =>
  async (operation, input, region) => {
    try {
      const output = await (control.call as EmulatorCall)(operation, input, region === undefined ? {} : { region });
      return (output ?? {}) as Record<string, unknown>;
    } catch (error) {
      if (!(error instanceof AwsException)) throw error;
      return { Error: { Code: error.code, Message: error.message } };
    }
  };

type EmulatorCall = (operation: string, input: unknown, options: { region?: string }) => Promise<unknown>;

/** Members that AWS has added to its answers since some of the recordings were made, and when. */
const younger: Readonly<Record<string, string>> = {
  CurrentKeyMaterialId: "2025-06",
  KeyMaterialId: "2025-06",
};

/** What a recording has in place of values that differ from run to run: words in angle brackets, and these. */
const words = new Set([
  "datetime",
  "ciphertext-blob",
  "private-key-ciphertext-blob",
  "private-key-plaintext",
  "public-key",
  "shared-secret",
]);

const literally = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** A recorded text as a pattern: what is in angle brackets stands for anything. */
const patternOf = (recorded: string): RegExp =>
  new RegExp(
    `^${recorded
      .split(/<[^<>]+>/)
      .map(literally)
      .join("[^\\s]+")}$`,
  );

function compareText(actual: unknown, recorded: string, at: string): void {
  if (words.has(recorded) || /^<[^<>]+>$/.test(recorded)) {
    assert.ok(actual !== undefined && actual !== null, `${at} is missing`);
    return;
  }
  assert.equal(typeof actual, "string", at);
  if (recorded.includes("<")) assert.match(actual as string, patternOf(withAccount(recorded)), at);
  else assert.equal(actual, withAccount(recorded), at);
}

const withAccount = (text: string): string => text.replaceAll("111111111111", "111122223333");

/** AWS puts the values of an enumeration into another order than its model, and adds to them: they are compared as sets. */
function compareMessage(actual: unknown, recorded: string, at: string): void {
  const split = (text: string) => /^(.*enum value set: \[)(.*)(\].*)$/.exec(text);
  const [ours, theirs] = [split(String(actual)), split(recorded)];
  if (!ours || !theirs) {
    compareText(actual, recorded, at);
    return;
  }
  assert.equal(ours[1], theirs[1], at);
  for (const value of (theirs[2] ?? "").split(", "))
    assert.ok((ours[2] ?? "").split(", ").includes(value), `${at}: ${value}`);
}

/** `dd-mm-yyyy, …` as `yyyy-mm`. */
const monthOf = (date: string): string => date.replace(/^\d+-(\d+)-(\d+),.*$/, "$2-$1");

function compareObject(actual: object, recorded: object, date: string, at: string): void {
  const wanted = Object.keys(recorded).filter((name) => name !== "ResponseMetadata" && name !== "message");
  const extra = Object.keys(actual).filter((name) => !wanted.includes(name));
  const unexplained = extra.filter((name) => (younger[name] ?? "") <= monthOf(date));
  assert.deepEqual(unexplained, [], `${at} has members that AWS does not send`);
  for (const name of wanted) {
    compareValue(
      (actual as Record<string, unknown>)[name],
      (recorded as Record<string, unknown>)[name],
      date,
      `${at}.${name}`,
    );
  }
}

function compareList(actual: unknown, recorded: readonly unknown[], date: string, at: string): void {
  assert.ok(Array.isArray(actual), `${at} is a list`);
  assert.equal(actual.length, recorded.length, at);
  for (const [index, item] of recorded.entries()) compareValue(actual[index], item, date, `${at}[${index}]`);
}

/** Code, text and members must be those of AWS. */
export function compareValue(actual: unknown, recorded: unknown, date: string, at: string): void {
  if (at.endsWith(".Error.Message")) compareMessage(actual, String(recorded), at);
  else if (typeof recorded === "string") compareText(actual, recorded, at);
  else if (Array.isArray(recorded)) compareList(actual, recorded, date, at);
  else if (typeof recorded === "object" && recorded !== null) {
    assert.ok(typeof actual === "object" && actual !== null, `${at} is an object`);
    compareObject(actual, recorded, date, at);
  } else assert.equal(actual, recorded, at);
}

/** `test_name[A-B]` is test_name with the parameters A and B. */
export function partsOf(name: string): { base: string; parameters: string[] } {
  const [, base = name, inBrackets] = /^([^[]+)(?:\[(.*)\])?$/.exec(name) ?? [];
  return { base, parameters: inBrackets === undefined ? [] : inBrackets.split("-") };
}
