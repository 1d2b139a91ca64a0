/** From the errors of grpc-js's client to ours, with the details that came in a trailer. */
import { fromBinary } from "@bufbuild/protobuf";
import type { Any } from "@bufbuild/protobuf/wkt";
import type { Metadata } from "@grpc/grpc-js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import { type StatusCode, statusCodeName } from "./status-code.ts";
import { GrpcStatusError } from "./status-error.ts";

/** What grpc-js's errors have. */
interface ClientError {
  readonly code?: number;
  readonly details?: string;
  readonly message: string;
  readonly metadata?: Metadata;
}

export function clientStatus(method: string, error: ClientError): GrpcStatusError {
  const code: StatusCode = error.code === undefined ? "UNKNOWN" : statusCodeName(error.code);
  return new GrpcStatusError(method, code === "OK" ? "UNKNOWN" : code, error.details ?? error.message, {
    cause: error,
    errorDetails: errorDetailsIn(error.metadata),
  });
}

/** A trailer that cannot be read is no reason to lose the status. */
function errorDetailsIn(metadata: Metadata | undefined): Any[] {
  const [bytes] = metadata?.get("grpc-status-details-bin") ?? [];
  if (!(bytes instanceof Uint8Array)) return [];
  try {
    return fromBinary(StatusSchema, bytes).details;
  } catch {
    return [];
  }
}
