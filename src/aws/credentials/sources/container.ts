/** Credentials of a container: ECS, EKS Pod Identity, Greengrass, or whatever stands at the address in the environment. */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Credentials } from "../credentials.ts";
import type { ReadText } from "../limited-file.ts";
import type { Environment } from "../shared-files.ts";
import { sourceError, wordsOf } from "../source-error.ts";
import type { StartTimer } from "../time-limit.ts";
import { credentialsFromJson } from "./credentials-json.ts";
import { askMetadata, refusal } from "./metadata-http.ts";

/** An agent that leaves one request unanswered may answer the next. */
const attempts = 3;

export interface ContainerOptions {
  readonly url: string;
  /** The variable that the address is from. */
  readonly variable: string;
  readonly env: Environment;
  readonly readText: ReadText;
  /** For one request. */
  readonly requestMs: number;
  readonly startTimer?: StartTimer;
}

const metadataHosts = new Set(["169.254.170.2", "169.254.170.23", "fd00:ec2::23"]);

const isNear = (address: string): boolean =>
  metadataHosts.has(address) || address === "::1" || (isIP(address) === 4 && address.startsWith("127."));

/** Over plain HTTP a token goes to this machine or to AWS's own addresses only. */
async function checkHost(url: URL, variable: string): Promise<void> {
  if (url.protocol === "https:") return;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  let addresses: readonly string[];
  try {
    addresses = isIP(host) === 0 ? (await lookup(host, { all: true })).map(({ address }) => address) : [host];
  } catch (error) {
    throw sourceError(`the host ${host} of ${variable} is not known: ${wordsOf(error)}`, "UNAVAILABLE");
  }
  if (addresses.every(isNear)) return;
  throw sourceError(
    `${variable} names the host ${host} over plain HTTP; only this machine's and the addresses of ECS and EKS may be asked so`,
  );
}

function addressOf(text: string, variable: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "http:" || url?.protocol === "https:") return url;
  throw sourceError(`${variable} is not an http:// or https:// address`);
}

async function authorization({ env, readText }: ContainerOptions): Promise<Readonly<Record<string, string>>> {
  const file = env.AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE;
  const variable = "AWS_CONTAINER_AUTHORIZATION_TOKEN";
  const token = file ? await readText(file) : env[variable];
  if (!token) return {};
  if (/^[\x20-\x7e]*$/.test(token)) return { authorization: token };
  const place = file ? `the file ${file} of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` : variable;
  throw sourceError(`${place} holds a line break or another character that no header can carry; remove it`);
}

/** What messages call the endpoint; its query may hold anything, and is not told. */
export const containerName = (url: string): string => `the container credentials endpoint ${url.split(/[?#]/, 1)[0]}`;

export async function containerCredentials(options: ContainerOptions, signal: AbortSignal): Promise<Credentials> {
  const { variable, requestMs, startTimer } = options;
  const url = addressOf(options.url, variable);
  await checkHost(url, variable);
  const source = containerName(`${url.origin}${url.pathname}`);
  const answer = await askMetadata({
    url,
    source,
    headers: { accept: "application/json", ...(await authorization(options)) },
    limitMs: requestMs,
    attempts,
    signal,
    ...(startTimer === undefined ? {} : { startTimer }),
  });
  if (answer.status !== 200) throw refusal(source, answer);
  const { members: _, ...credentials } = credentialsFromJson(answer.body, source, "Token");
  return credentials;
}
