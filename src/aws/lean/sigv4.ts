/**
 * AWS Signature Version 4 for requests that are all alike: the same headers in the same order, no query, a path that needs no
 * escaping. What is the same for a day is made once a day. A library does the same for any request, at ten times the cost.
 */
import { createHmac, createSecretKey, hash, type KeyObject } from "node:crypto";

export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

interface SigV4Options {
  readonly credentials: SigningCredentials;
  readonly region: string;
  readonly service: string;
  /** Names in lower case, sorted, with `;` between them. */
  readonly signedHeaders: string;
}

const hmac = (key: string | Buffer, data: string): Buffer => createHmac("sha256", key).update(data).digest();

let latestSecond = Number.NaN;
let latestDate = "";

/** `20150830T123600Z`, the form of `x-amz-date`. @param now in milliseconds since 1970 */
export function amzDate(now: number): string {
  const second = Math.floor(now / 1_000);
  if (second !== latestSecond) {
    latestDate = new Date(now).toISOString().replace(/\.\d+|[:-]/g, "");
    latestSecond = second;
  }
  return latestDate;
}

export class SigV4 {
  readonly #options: SigV4Options;
  #day = "";
  #scope = "";
  /** The header up to the signature. */
  #start = "";
  #keyOfDay: KeyObject = createSecretKey(Buffer.alloc(32));

  constructor(options: SigV4Options) {
    this.#options = options;
  }

  /**
   * The `authorization` header.
   *
   * @param canonicalRequest as AWS describes it, the payload's hash at its end included
   * @param date {@link amzDate}, the same as in the header `x-amz-date`
   */
  authorization(canonicalRequest: string, date: string): string {
    const day = date.slice(0, 8);
    if (day !== this.#day) this.#begin(day);
    const toSign = `AWS4-HMAC-SHA256\n${date}\n${this.#scope}\n${hash("sha256", canonicalRequest, "hex")}`;
    return this.#start + createHmac("sha256", this.#keyOfDay).update(toSign).digest("hex");
  }

  #begin(day: string): void {
    const { credentials, region, service, signedHeaders } = this.#options;
    const { accessKeyId, secretAccessKey } = credentials;
    const key = [day, region, service, "aws4_request"].reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`));
    this.#keyOfDay = createSecretKey(key);
    this.#scope = `${day}/${region}/${service}/aws4_request`;
    this.#start = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${this.#scope}, SignedHeaders=${signedHeaders}, Signature=`;
    this.#day = day;
  }
}
