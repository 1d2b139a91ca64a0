/** From what a handler threw to what its caller is told. */
import type { ServerCallContext } from "./call-context.ts";
import { type StatusCode, statusCodes } from "./status-code.ts";
import { StatusError } from "./status-error.ts";

/** Bytes of a status message on the wire; HTTP/2 headers have to hold it, percent-encoded. */
const maxDetailsLength = 4096;

/** The error shape grpc-js turns into trailers. */
export interface WireStatus extends Error {
  readonly code: number;
  readonly details: string;
}

/**
 * What the caller is told of an error a handler threw. A `StatusError` speaks for itself; in a call that was cancelled
 * it is the cancellation; the rest is `INTERNAL`, with the error's message and never its stack, and logged.
 */
export function statusFor(error: unknown, context: ServerCallContext): WireStatus {
  if (error instanceof StatusError) {
    if (error.cause !== undefined) context.log.debug("call refused", { code: error.code, error });
    return wireStatus(error.code, error.message);
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
