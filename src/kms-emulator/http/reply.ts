/** From the reply of the engine to an HTTP answer. */
import type { EngineReply } from "../engine/reply.ts";
import type { AwsException } from "../exceptions.ts";

/** An HTTP answer, or none: the connection is cut. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  /** Set on errors of JSON services: `x-amzn-errortype`. */
  readonly errorType?: string;
  /** The connection cannot be used any further, e.g. because the body was not read to its end. */
  readonly isLast?: boolean;
}

/** How a service writes outputs and exceptions. */
export interface WireFormat {
  output(operation: string, output: object | undefined, requestId: string): HttpAnswer;
  exception(exception: AwsException, requestId: string): HttpAnswer;
}

/** What a load balancer in front of AWS answers when something breaks: no AWS error in it. */
const htmlPage = (status: number): HttpAnswer => ({
  status,
  contentType: "text/html",
  body: `<html><body><h1>${status}</h1></body></html>`,
});

export function answerOf(
  format: WireFormat,
  operation: string,
  reply: EngineReply,
  requestId: string,
): HttpAnswer | "lost" | "reset" {
  switch (reply.kind) {
    case "output":
      return format.output(operation, reply.output, requestId);
    case "exception":
      return format.exception(reply.exception, requestId);
    case "page":
      return htmlPage(reply.status);
    case "cut":
      return reply.outcome;
  }
}
