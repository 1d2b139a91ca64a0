/** The two errors that carry a gRPC status: one that our handlers throw, one that our calls reject with. */
import type { StatusCode } from "./status-code.ts";

/** A code a call can fail with. */
export type FailureCode = Exclude<StatusCode, "OK">;

/**
 * Thrown by a handler to choose what its caller sees: the gRPC status code and the message, as they stand.
 * `cause` stays in the plugin's log and never crosses the wire. Any other error thrown becomes `INTERNAL`.
 *
 * @example throw new StatusError("NOT_FOUND", `key "${id}" not found`);
 */
export class StatusError extends Error {
  override readonly name = "StatusError";
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}

/** A call to a peer failed: what the peer, or the connection to it, answered. */
export class GrpcStatusError extends Error {
  override readonly name = "GrpcStatusError";
  readonly code: FailureCode;
  /** The peer's message alone; `message` has the method and the code before it. */
  readonly details: string;
  /** The full method, such as `grpc.health.v1.Health/Check`. */
  readonly method: string;

  constructor(method: string, code: FailureCode, details: string, options?: { cause?: unknown }) {
    super(`${method}: ${code}: ${details}`, options);
    this.code = code;
    this.details = details;
    this.method = method;
  }
}
