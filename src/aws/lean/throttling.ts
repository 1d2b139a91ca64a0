/** KMS's plain word that it throttles, read without the SDK. */
import { jsonIn } from "./plain-answer.ts";

/** A difference of clocks that leaves no doubt that they agree. */
const agreeMs = 120_000;

/** The part of an answer that is looked at. */
interface Response {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Words that hold nothing that could be a secret. */
const isHarmless = (words: unknown): words is string =>
  typeof words === "string" && /^[\w .,:;()'-]{1,300}$/.test(words) && !/[\w-]{20}/.test(words);

/**
 * What is plainly KMS's word that it throttles, as the SDK would throw it: under overload most answers are that, and each
 * would cost several times a signature. With a clock in doubt, the SDK judges.
 */
export function throttlingIn({ statusCode, headers, body }: Response, clockOffset: number): Error | undefined {
  if (statusCode !== 400 || !Buffer.isBuffer(body) || headers["x-amzn-errortype"] !== undefined) return undefined;
  const members = jsonIn(body);
  const { __type: name, message, ...others } = Object(members);
  if (name !== "ThrottlingException" || !isHarmless(message) || Object.keys(others).length > 0) return undefined;
  const skewMs = Date.parse(headers.date ?? "") - (Date.now() + clockOffset);
  if (Math.abs(skewMs) >= agreeMs) return undefined;
  const requestId = headers["x-amzn-requestid"];
  const more = { name, $fault: "client", $metadata: { httpStatusCode: statusCode, requestId } };
  return Object.assign(new Error(message), more);
}
