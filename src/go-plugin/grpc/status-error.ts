/** The two errors that carry a gRPC status: one that our handlers throw, one that our calls reject with. */
import { create, type DescMessage, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { type Any, anyPack, anyUnpack } from "@bufbuild/protobuf/wkt";
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
  /** For programs: travels beside the message. */
  readonly errorDetails: readonly Any[];

  constructor(code: FailureCode, message: string, options: { cause?: unknown; errorDetails?: readonly Any[] } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.errorDetails = options.errorDetails ?? [];
  }
}

/**
 * A message of any kind as a detail of a {@link StatusError}.
 *
 * @example errorDetail(ErrorInfoSchema, { reason: "CA_IS_OFFLINE", domain: "ca.example.org" })
 */
export function errorDetail<Schema extends DescMessage>(schema: Schema, message: MessageInitShape<Schema>): Any {
  return anyPack(schema, create(schema, message));
}

/** A call to a peer failed: what the peer, or the connection to it, answered. */
export class GrpcStatusError extends Error {
  override readonly name = "GrpcStatusError";
  readonly code: FailureCode;
  /** The peer's message alone; `message` has the method and the code before it. */
  readonly details: string;
  /** The full method, such as `grpc.health.v1.Health/Check`. */
  readonly method: string;
  /** What the peer sent beside its message. */
  readonly errorDetails: readonly Any[];

  constructor(
    method: string,
    code: FailureCode,
    details: string,
    options: { cause?: unknown; errorDetails?: readonly Any[] } = {},
  ) {
    super(`${method}: ${code}: ${details}`, "cause" in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = details;
    this.method = method;
    this.errorDetails = options.errorDetails ?? [];
  }

  /** @returns the first detail of this kind, or undefined */
  errorDetail<Schema extends DescMessage>(schema: Schema): MessageShape<Schema> | undefined {
    for (const detail of this.errorDetails) {
      const message = anyUnpack(detail, schema);
      if (message !== undefined) return message;
    }
    return undefined;
  }
}
