/** Requests to the credential endpoints of containers and machines: small, near, and never through a proxy. */
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { KmsError } from "../../../key-manager/ports.ts";
import { AbsentSource, sourceError, sourceTimeout, wordsOf } from "../source-error.ts";
import { type StartTimer, within } from "../time-limit.ts";

export interface MetadataRequest {
  readonly url: URL;
  /** Names the source in messages. */
  readonly source: string;
  readonly method?: "GET" | "PUT";
  readonly headers?: Readonly<Record<string, string>>;
  readonly limitMs: number;
  readonly attempts: number;
  readonly signal: AbortSignal;
  readonly startTimer?: StartTimer;
}

export interface MetadataAnswer {
  readonly status: number;
  readonly body: string;
}

/** The endpoint could not be reached, or did not answer in time. */
export const isUnreachable = (error: unknown): boolean =>
  error instanceof Error && /^(TIMEOUT|UNAVAILABLE)$/.test(String(Reflect.get(error, "code")));

const maxBytes = 64 * 1024;

function send({ url, method = "GET", headers = {}, source }: MetadataRequest, signal: AbortSignal) {
  return new Promise<MetadataAnswer>((resolve, reject) => {
    const fail = (error: Error) =>
      reject(new AbsentSource(`${source} cannot be reached: ${wordsOf(error)}`, "UNAVAILABLE"));
    const request = (url.protocol === "https:" ? httpsRequest : httpRequest)(url, {
      method,
      headers,
      signal,
      // A connection of its own: no answer of an earlier request can be taken for this one's.
      agent: false,
    });
    request.once("error", fail);
    request.once("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxBytes) response.destroy(new Error(`its answer has more than ${maxBytes} bytes`));
        else chunks.push(chunk);
      });
      response.once("error", fail);
      response.once("close", () => fail(new Error("its answer broke off")));
      response.once("end", () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
      });
    });
    request.end();
  });
}

const mayRetry = ({ status }: MetadataAnswer): boolean => status >= 500 || status === 429;

/** Makes a request, and again at once if it comes to nothing. */
export async function askMetadata(request: MetadataRequest): Promise<MetadataAnswer> {
  const { source, limitMs, attempts, signal: all, startTimer } = request;
  const limit = {
    limitMs,
    timeout: () => sourceTimeout(source, limitMs),
    ...(startTimer === undefined ? {} : { startTimer }),
  };
  for (let attempt = 1; ; attempt++) {
    all.throwIfAborted();
    try {
      const answer = await within(limit, (signal) => send(request, AbortSignal.any([all, signal])));
      if (attempt >= attempts || !mayRetry(answer)) return answer;
    } catch (error) {
      if (attempt >= attempts) throw error;
    }
  }
}

/** What an endpoint says about its refusal, kept short. */
function refusalOf({ status, body }: MetadataAnswer): string {
  let words = body;
  try {
    const { code, Code = code, message, Message = message } = Object(JSON.parse(body));
    words = [Code, Message].filter((part) => typeof part === "string").join(": ");
  } catch {
    // Not JSON: its own words.
  }
  const short = words.replace(/\s+/g, " ").trim().slice(0, 200);
  return short === "" ? `HTTP ${status}` : `HTTP ${status}, ${short}`;
}

/** The refusal of an endpoint as an error. */
export function refusal(source: string, answer: MetadataAnswer): KmsError {
  const message = `${source} refused: ${refusalOf(answer)}`;
  if (answer.status === 404) return new AbsentSource(message);
  const code = answer.status >= 500 ? "UNAVAILABLE" : answer.status === 429 ? "THROTTLED" : "UNAUTHENTICATED";
  return sourceError(message, code);
}
