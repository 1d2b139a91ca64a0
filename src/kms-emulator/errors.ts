/** What can go wrong with the emulator itself, as opposed to an answer that AWS would give. */
export type EmulatorErrorCode =
  | "CLOSED"
  | "CONNECTION_RESET"
  | "DATA_FILE_CORRUPT"
  | "DATA_FILE_LOCKED"
  | "DATA_FILE_UNREADABLE"
  | "DATA_FILE_UNWRITABLE"
  | "INVALID_OPTION"
  | "INVALID_SEEDS"
  | "LISTEN_FAILED"
  | "LOST_REPLY"
  | "TLS_FOLDER"
  | "UNKNOWN_OPERATION";

/** Failure of the emulator as a program. AWS's own exceptions are {@link AwsException}. */
export class EmulatorError extends Error {
  readonly code: EmulatorErrorCode;

  constructor(code: EmulatorErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "EmulatorError";
    this.code = code;
  }
}

/** Letters that must be changed, added or taken away to make one of the other (Levenshtein), capitals not counted. */
function distance(left: string, right: string): number {
  const [from, to] = [left.toLowerCase(), right.toLowerCase()];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let at = 0; at < from.length; at += 1) {
    const next = [at + 1];
    for (let other = 0; other < to.length; other += 1) {
      const swapped = (row[other] ?? 0) + (from[at] === to[other] ? 0 : 1);
      next.push(Math.min(swapped, (row[other + 1] ?? 0) + 1, (next[other] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

/** `; did you mean CreateKey?`, or nothing if no known name is near. */
export function didYouMean(name: string, known: Iterable<string>): string {
  let best: string | undefined;
  let least = Math.max(2, Math.ceil(name.length / 3)) + 1;
  for (const candidate of known) {
    const far = distance(name, candidate);
    if (far < least) [best, least] = [candidate, far];
  }
  return best === undefined ? "" : `; did you mean ${best}?`;
}
