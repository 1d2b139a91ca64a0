/**
 * What can go wrong in the go-plugin layer, on either side.
 *
 * Plugin side: `NO_MAGIC_COOKIE`, `PROTOCOL_VERSION`, `SOCKET_DIRECTORY`, `SOCKET_PATH_TOO_LONG`, `SOCKET_GROUP`,
 * `PORT_RANGE`, `LISTEN_FAILED`, `CLIENT_CERTIFICATE`, `BROKER_TIMEOUT`, `BROKER_CLOSED`, `BROKER_ADDRESS`.
 * Host side: `CHECKSUM_INVALID`, `CHECKSUM_MISMATCH`, `START_FAILED`, `START_TIMEOUT`, `EXITED_BEFORE_HANDSHAKE`,
 * `HANDSHAKE_LINE`, `SERVER_CERTIFICATE`.
 */
export type GoPluginErrorCode =
  | "NO_MAGIC_COOKIE"
  | "PROTOCOL_VERSION"
  | "SOCKET_DIRECTORY"
  | "SOCKET_PATH_TOO_LONG"
  | "SOCKET_GROUP"
  | "PORT_RANGE"
  | "LISTEN_FAILED"
  | "CLIENT_CERTIFICATE"
  | "BROKER_TIMEOUT"
  | "BROKER_CLOSED"
  | "BROKER_ADDRESS"
  | "CHECKSUM_INVALID"
  | "CHECKSUM_MISMATCH"
  | "START_FAILED"
  | "START_TIMEOUT"
  | "EXITED_BEFORE_HANDSHAKE"
  | "HANDSHAKE_LINE"
  | "SERVER_CERTIFICATE";

export class GoPluginError extends Error {
  override readonly name = "GoPluginError";
  readonly code: GoPluginErrorCode;

  constructor(code: GoPluginErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
