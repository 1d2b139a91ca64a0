/** Exit codes of `spire-aws-kms migrate`, documented in docs/migration.md. */
export const exitCodes = {
  done: 0,
  /** AWS could not be reached, or refused. */
  failed: 1,
  usage: 2,
  /** Not done, because it would not be right; or not verified. */
  refused: 3,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];
