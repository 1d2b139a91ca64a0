/** How a call ends: an output, an exception in the words of its service, or what a fault makes of it. */
import type { FaultEffect } from "../drills/faults.ts";
import type { OpenRecord } from "../drills/journal.ts";
import { AwsException } from "../exceptions.ts";
import type { Service } from "../framework/operation.ts";

/** How a call ended, for the transport to put into words. */
export type EngineReply =
  | { readonly kind: "output"; readonly output: object | undefined }
  | { readonly kind: "exception"; readonly exception: AwsException }
  | { readonly kind: "cut"; readonly outcome: "lost" | "reset" }
  | { readonly kind: "page"; readonly status: number };

const queryDialect = {
  AccessDeniedException: "AccessDenied",
  SerializationException: "ValidationError",
  ThrottlingException: "Throttling",
  ValidationException: "ValidationError",
};

/** What each service calls an exception that all of them have. */
const dialects: Record<Service, Readonly<Record<string, string>>> = {
  kms: {},
  sts: queryDialect,
  iam: queryDialect,
  tagging: { ThrottlingException: "ThrottledException", ValidationException: "InvalidParameterException" },
};

const throttlingMessage: Record<Service, string> = {
  kms: "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
  sts: "Rate exceeded",
  iam: "Rate exceeded",
  tagging: "Rate exceeded",
};

/** The answer of a fault that keeps the call from being carried out. */
export function replyWithoutCall(effects: readonly FaultEffect[], service: Service): EngineReply | undefined {
  for (const effect of effects) {
    switch (effect.kind) {
      case "reset":
        return { kind: "cut", outcome: "reset" };
      case "http-500":
        return { kind: "page", status: effect.status ?? 500 };
      case "throttle":
        return { kind: "exception", exception: inDialect(service, throttlingException(service)) };
      case "error": {
        const options = effect.status === undefined ? {} : { status: effect.status };
        return { kind: "exception", exception: new AwsException(effect.name, effect.message, options) };
      }
    }
  }
  return undefined;
}

/** What is left of the reply once the call has been carried out. */
export function replyAfterCall(effects: readonly FaultEffect[], reply: EngineReply): EngineReply {
  if (effects.some((effect) => effect.kind === "lost-reply")) return { kind: "cut", outcome: "lost" };
  if (reply.kind !== "output" || !effects.some((effect) => effect.kind === "corrupt-signature")) return reply;
  const output = reply.output as { Signature?: unknown } | undefined;
  if (!(output?.Signature instanceof Uint8Array)) return reply;
  const Signature = Buffer.from(output.Signature);
  Signature[Signature.length - 1] = (Signature[Signature.length - 1] ?? 0) ^ 1;
  return { kind: "output", output: { ...output, Signature } };
}

/** Writes the ending into the journal. `performed` is what the call did, if it was carried out. */
export function recordEnding(record: OpenRecord, answer: EngineReply, performed: EngineReply | undefined): EngineReply {
  const told = performed ?? answer;
  if (told.kind === "exception") record.error = { name: told.exception.code, message: told.exception.message };
  if (told.kind === "output" && told.output !== undefined) record.output = told.output;
  if (answer.kind === "page") record.error = { name: `HTTP ${answer.status}`, message: "" };
  if (answer.kind === "cut") record.outcome = answer.outcome;
  else record.outcome = answer.kind === "output" ? "ok" : "error";
  return answer;
}

export function throttlingException(service: Service): AwsException {
  return new AwsException("ThrottlingException", throttlingMessage[service]);
}

/** What each service calls a failure of its own. */
const internalFailure: Record<Service, string> = {
  kms: "KMSInternalException",
  sts: "InternalFailure",
  iam: "ServiceFailure",
  tagging: "InternalServiceException",
};

/** Anything that is not an answer of AWS is a defect of ours, shown as AWS shows its own. */
export function inDialect(service: Service, error: unknown): AwsException {
  if (error instanceof AwsException) {
    const code = dialects[service][error.code];
    if (code === undefined) return error;
    return new AwsException(code, error.hasMessage ? error.message : undefined, { cause: error });
  }
  const message = error instanceof Error ? error.message : String(error);
  return new AwsException(internalFailure[service], `The emulator failed: ${message}`, { status: 500, cause: error });
}
