/** Credentials of an EC2 instance's role, from its metadata service. */
import type { Credentials } from "../credentials.ts";
import type { Profile } from "../profile.ts";
import type { Environment } from "../shared-files.ts";
import { AbsentSource, sourceError } from "../source-error.ts";
import type { StartTimer } from "../time-limit.ts";
import { credentialsFromJson } from "./credentials-json.ts";
import { askMetadata, isUnreachable, type MetadataAnswer, refusal } from "./metadata-http.ts";

const rolePath = "/latest/meta-data/iam/security-credentials/";
const attempts = 2;

export interface InstanceOptions {
  readonly profile: Profile | undefined;
  readonly env: Environment;
  /** For one request. */
  readonly requestMs: number;
  readonly startTimer?: StartTimer;
}

/** A refusal comes with status 200 and a code. */
function isSuccess(body: string): boolean {
  try {
    return String(Object(JSON.parse(body)).Code ?? "Success").toLowerCase() === "success";
  } catch {
    return true;
  }
}

const isTrue = (value: string | undefined): boolean => value?.toLowerCase() === "true";

function endpointOf({ env, profile }: InstanceOptions): string {
  const setting = (name: string) => profile?.settings.get(name);
  const chosen = env.AWS_EC2_METADATA_SERVICE_ENDPOINT || setting("ec2_metadata_service_endpoint");
  if (chosen) {
    if (/^https?:/.test(chosen) && URL.canParse(chosen)) return chosen.replace(/\/+$/, "");
    throw sourceError("AWS_EC2_METADATA_SERVICE_ENDPOINT is not an http:// or https:// address");
  }
  const mode = env.AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE || setting("ec2_metadata_service_endpoint_mode") || "IPv4";
  return mode.toLowerCase() === "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254";
}

/** An instance's role, as long as its service answers. */
export async function instanceCredentials(options: InstanceOptions, signal: AbortSignal): Promise<Credentials> {
  const { env, profile, requestMs, startTimer } = options;
  if (isTrue(env.AWS_EC2_METADATA_DISABLED)) {
    throw new AbsentSource("the instance metadata service is switched off by AWS_EC2_METADATA_DISABLED");
  }
  const endpoint = endpointOf(options);
  const source = `the instance metadata service ${endpoint}`;
  const ask = (path: string, headers: Readonly<Record<string, string>>, method: "GET" | "PUT" = "GET") =>
    askMetadata({
      url: new URL(`${endpoint}${path}`),
      source,
      method,
      headers,
      limitMs: requestMs,
      attempts: method === "PUT" ? 1 : attempts,
      signal,
      ...(startTimer === undefined ? {} : { startTimer }),
    });
  const isV1Disabled = isTrue(env.AWS_EC2_METADATA_V1_DISABLED || profile?.settings.get("ec2_metadata_v1_disabled"));
  const headers = await sessionHeaders(ask, source, isV1Disabled);
  const roles = await ask(rolePath, headers);
  if (roles.status !== 200) throw refusal(`${source} (role of the instance)`, roles);
  const [role = ""] = roles.body.split(/\r?\n/);
  if (role !== "" && !/^[\w+=,.@-]{1,128}$/.test(role))
    throw sourceError(`${source} gave an answer that is no role's name`);
  if (role === "") throw new AbsentSource(`${source} knows no role: the instance has none`);
  const answer = await ask(`${rolePath}${role}`, headers);
  if (answer.status !== 200) throw refusal(source, answer);
  if (!isSuccess(answer.body)) throw refusal(source, answer);
  const { members: _, ...credentials } = credentialsFromJson(answer.body, `${source} (role ${role})`, "Token");
  return { ...credentials, usableAfterExpiry: true };
}

/** The token of IMDSv2, or none where the service has no tokens. */
async function sessionHeaders(
  ask: (path: string, headers: Readonly<Record<string, string>>, method: "PUT") => Promise<MetadataAnswer>,
  source: string,
  isV1Disabled: boolean,
): Promise<Readonly<Record<string, string>>> {
  let answer: MetadataAnswer;
  try {
    answer = await ask("/latest/api/token", { "x-aws-ec2-metadata-token-ttl-seconds": "300" }, "PUT");
  } catch (error) {
    // Where a hop limit swallows the token, the older way may work.
    if (isV1Disabled || !isUnreachable(error)) throw error;
    return {};
  }
  if (answer.status === 200) return { "x-aws-ec2-metadata-token": answer.body.trim() };
  if (isV1Disabled || ![403, 404, 405].includes(answer.status)) throw refusal(`${source} (token)`, answer);
  return {};
}
