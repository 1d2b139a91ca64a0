/** From what a handler threw to what its caller is told. */
import { create, toBinary } from "@bufbuild/protobuf";
import { Metadata } from "@grpc/grpc-js";
import { StatusSchema } from "../../gen/google/rpc/status_pb.ts";
import type { ServerCallContext } from "./call-context.ts";
import { type StatusCode, statusCodes } from "./status-code.ts";
import { StatusError } from "./status-error.ts";

/** Bytes of a status message on the wire; HTTP/2 headers have to hold it, percent-encoded. */
const maxDetailsLength = 4096;
/** Likewise of the details, in base64. A peer that cannot take the trailers loses the status too. */
const maxErrorDetailsLength = 16_384;

/** The error shape grpc-js turns into trailers. */
export interface WireStatus extends Error {
  readonly code: number;
  readonly details: string;
  /** Trailers beside the two of the status. */
  readonly metadata?: Metadata;
}

/**
 * What the caller is told of an error a handler threw. A `StatusError` speaks for itself; in a call that was cancelled
 * it is the cancellation; the rest is `INTERNAL`, with the error's message and never its stack, and logged.
 */
export function statusFor(error: unknown, context: ServerCallContext): WireStatus {
  if (error instanceof StatusError) {
    if (error.cause !== undefined) context.log.debug("call refused", { code: error.code, error });
    return withErrorDetails(wireStatus(error.code, error.message), error, context);
  }
  const { cancelReason } = context;
  if (cancelReason !== undefined) return wireStatus(cancelReason.code, cancelReason.message);
  context.log.error("call failed unexpectedly", { error, stack: stackOf(error) });
  return wireStatus("INTERNAL", `unexpected error: ${firstLine(error)}`);
}

function wireStatus(code: StatusCode, message: string): WireStatus {
  const details = wellFormed(message.length > maxDetailsLength ? `${message.slice(0, maxDetailsLength)}…` : message);
  return Object.assign(new Error(details), { code: statusCodes[code], details });
}

/** As gRPC's libraries have it: the whole status once more, in a trailer of its own. */
function withErrorDetails(status: WireStatus, { errorDetails }: StatusError, context: ServerCallContext): WireStatus {
  if (errorDetails.length === 0) return status;
  const { code, details: message } = status;
  const bytes = toBinary(StatusSchema, create(StatusSchema, { code, message, details: [...errorDetails] }));
  if (bytes.length * 1.34 > maxErrorDetailsLength) {
    context.log.warn("the details of an error are too long to be sent", { bytes: bytes.length });
    return status;
  }
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(bytes));
  return Object.assign(status, { metadata });
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : typeof error === "string" ? error : "unknown";
  return text.split("\n", 1)[0] ?? "";
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

/** grpc-js percent-encodes with encodeURI, which throws on half a surrogate pair. */
function wellFormed(text: string): string {
  return text.replace(/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g, "\uFFFD");
}
