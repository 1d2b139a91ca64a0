/** What can go wrong with the emulator itself, as opposed to an answer that AWS would give. */
export type EmulatorErrorCode =
  | "CLOSED"
  | "CONNECTION_RESET"
  | "DATA_FILE_CORRUPT"
  | "DATA_FILE_LOCKED"
  | "DATA_FILE_UNREADABLE"
  | "DATA_FILE_UNWRITABLE"
  | "INVALID_OPTION"
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
