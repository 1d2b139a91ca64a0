/** The domain's errors as gRPC statuses: the one mapping. */
import { KeyManagerError, type KeyManagerErrorCode } from "../key-manager/errors.ts";
import { StatusError } from "../plugin-sdk/index.ts";

const statusOf = {
  InvalidArgument: "INVALID_ARGUMENT",
  NotFound: "NOT_FOUND",
  FailedPrecondition: "FAILED_PRECONDITION",
  PermissionDenied: "PERMISSION_DENIED",
  Unauthenticated: "UNAUTHENTICATED",
  ResourceExhausted: "RESOURCE_EXHAUSTED",
  Unavailable: "UNAVAILABLE",
  DeadlineExceeded: "DEADLINE_EXCEEDED",
  Cancelled: "CANCELLED",
  Internal: "INTERNAL",
} as const satisfies Record<KeyManagerErrorCode, string>;

/** Runs a call of the domain; what it throws reaches the host as a gRPC status. */
export async function withStatus<T>(call: () => Promise<T> | T): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof KeyManagerError) throw new StatusError(statusOf[error.code], error.message);
    throw error;
  }
}
