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

export const jsonText = <T extends JsonDocument>(document: T): string => JSON.stringify(document, undefined, 2);
