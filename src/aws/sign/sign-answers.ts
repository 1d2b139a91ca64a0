/** The two answers to Sign that are read without the SDK: what is plainly a signature, and KMS's plain word that it throttles. */

const plainBase64 =
  /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$|^[A-Za-z0-9+/]{2}==$|^[A-Za-z0-9+/]{3}=$/;

/** Members of an answer that cannot be taken for anything but a signature. */
export function plainSignature(bytes: Buffer): { readonly KeyId?: string; readonly Signature: Uint8Array } | undefined {
  const { KeyId, Signature } = Object(membersOf(bytes));
  if (typeof KeyId !== "string" || typeof Signature !== "string" || !plainBase64.test(Signature)) return undefined;
  return { KeyId, Signature: new Uint8Array(Buffer.from(Signature, "base64")) };
}

/** @returns undefined for what is no JSON */
function membersOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

/** A difference of clocks that leaves no doubt that they agree. */
const agreeMs = 120_000;

/** The part of an answer that is looked at. */
interface SignResponse {
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
export function throttlingIn({ statusCode, headers, body }: SignResponse, clockOffset: number): Error | undefined {
  if (statusCode !== 400 || !Buffer.isBuffer(body) || headers["x-amzn-errortype"] !== undefined) return undefined;
  const members = membersOf(body);
  const { __type: name, message, ...others } = Object(members);
  if (name !== "ThrottlingException" || !isHarmless(message) || Object.keys(others).length > 0) return undefined;
  const skewMs = Date.parse(headers.date ?? "") - (Date.now() + clockOffset);
  if (Math.abs(skewMs) >= agreeMs) return undefined;
  const requestId = headers["x-amzn-requestid"];
  const more = { name, $fault: "client", $metadata: { httpStatusCode: statusCode, requestId } };
  return Object.assign(new Error(message), more);
}
