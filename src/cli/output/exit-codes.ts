/** Exit codes of every command; the table for operators is in docs/operations.md. */
export const exitCodes = {
  done: 0,
  /** AWS could not be reached, or refused; doctor: SPIRE Server would fail. */
  failed: 1,
  /** Wrong arguments, or a configuration that cannot be worked with. */
  usage: 2,
  /** Not done, because it would not be right, or was not agreed to; or not verified. */
  refused: 3,
  /** Done, but for what a permission is missing; stderr names it. */
  incomplete: 4,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** By a signal, as a shell tells it. */
export const signalExitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGPIPE: 141 } as const;
