/**
 * What `--json` prints: one object, which says what it is and in which version.
 *
 * Within a version members are added, never changed or taken away (docs/stability.md). Times are ISO 8601 in UTC; what is
 * not known is absent.
 */

export interface JsonDocument {
  /** `spire-aws-kms/` and the command's name. */
  readonly format: `spire-aws-kms/${string}`;
  readonly version: number;
}

/** What JSON lets stand and a terminal would obey: C1 controls, and marks that turn the direction of writing. */
const steering = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The same JSON, which may be shown on a terminal. */
export const safeJson = (json: string): string =>
  json.replace(steering, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

export const jsonText = <T extends JsonDocument>(document: T): string =>
  safeJson(JSON.stringify(document, undefined, 2));

/** On one line. */
export const jsonLine = <T extends JsonDocument>(document: T): string => safeJson(JSON.stringify(document));
