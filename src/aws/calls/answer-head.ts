/** What an answer's headers say, in the SDK's answers and in plain ones: when it was given, and by which request id. */
import type { KMSClient } from "@aws-sdk/client-kms";

const httpDate = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** The `Date` header (RFC 9110); undefined for anything else that JavaScript might take for a date. */
export function httpDateFrom(header: unknown): Date | undefined {
  if (typeof header !== "string" || !httpDate.test(header)) return undefined;
  const date = new Date(header);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** The request id that the SDK has found in an answer, as it came. */
export const requestIdOf = (output: unknown): unknown =>
  Reflect.get(Object(Reflect.get(Object(output), "$metadata")), "requestId");

/** The SDK looks for it under these names, in this order. */
export const requestIdHeaders = ["x-amzn-requestid", "x-amzn-request-id", "x-amz-request-id"] as const;

/** From now on tells when the client's answers were given, by KMS's clock. */
export function readDates(client: Pick<KMSClient, "middlewareStack">): (output: object) => Date | undefined {
  const dates = new WeakMap<object, Date>();
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const headers: unknown = Reflect.get(Object(result.response), "headers");
      const date = httpDateFrom(Reflect.get(Object(headers), "date"));
      if (date !== undefined && typeof result.output === "object" && result.output !== null) {
        dates.set(result.output, date);
      }
      return result;
    },
    // Outside the deserializer, which makes the output.
    { step: "deserialize", priority: "high", name: "readDates" },
  );
  return (output) => dates.get(output);
}
