/** Rules of AWS KMS for the operator's own tags (`key_tags`). */
import type { Tag } from "../ports.ts";

export const maxTags = 50;
/** `spire-server-td`, `spire-server-id`, `spire-active`, `spire-key-id`, `spire-last-update`. */
export const pluginTagCount = 5;
const maxKeyCharacters = 128;
const maxValueCharacters = 256;
const allowed = /^[\p{L}\p{N}\s+\-=._:/@]*$/u;
const allowedText = "letters, numbers, spaces and + - = . _ : / @";

/** AWS counts characters, not UTF-16 units. */
const characters = (text: string): number => [...text].length;

function problemsOfTag({ key, value }: Tag): string[] {
  const problems: string[] = [];
  const name = JSON.stringify(key);
  if (key === "") problems.push("a tag key is empty; it must have 1 to 128 characters");
  if (characters(key) > maxKeyCharacters) {
    problems.push(`tag key ${name} has ${characters(key)} characters; at most ${maxKeyCharacters} are allowed`);
  }
  if (characters(value) > maxValueCharacters) {
    problems.push(
      `the value of tag ${name} has ${characters(value)} characters; at most ${maxValueCharacters} are allowed`,
    );
  }
  if (!allowed.test(key)) problems.push(`tag key ${name} has characters that AWS refuses; use ${allowedText}`);
  if (!allowed.test(value)) {
    problems.push(
      `the value ${JSON.stringify(value)} of tag ${name} has characters that AWS refuses; use ${allowedText}`,
    );
  }
  if (/^aws:/i.test(key)) problems.push(`tag key ${name} starts with "aws:", which AWS reserves; choose another key`);
  if (key.startsWith("spire-")) {
    problems.push(`tag key ${name} starts with "spire-", which is reserved for SPIRE; choose another key`);
  }
  return problems;
}

/**
 * Everything wrong with a set of tags, all at once.
 *
 * @param reserved how many further tags the plugin itself puts on a key; they count toward KMS's 50
 */
export function keyTagProblems(tags: readonly Tag[], reserved = 0): string[] {
  const problems = tags.flatMap(problemsOfTag);
  if (tags.length + reserved > maxTags) {
    const own = reserved === 0 ? "" : ` besides the plugin's own ${reserved}`;
    problems.push(`${tags.length} tags${own}; KMS allows ${maxTags} on a key`);
  }
  return problems;
}
