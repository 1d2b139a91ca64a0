/** Who the server is to AWS, whether KMS can be reached and how far it is, and whether the clocks agree. */
import { explain } from "../../key-manager/errors.ts";
import { type CallerIdentity, isKmsError, type KmsError } from "../../key-manager/ports.ts";
import type { CommandClients } from "../aws-clients.ts";
import type { CommandConfiguration } from "../configuration/configuration.ts";
import { systemClock } from "../system-clock.ts";
import type { Findings } from "./finding.ts";

const minuteMs = 60_000;

/** @returns undefined where STS does not tell */
export async function checkIdentity(
  { config, plugin }: CommandConfiguration,
  { sts }: CommandClients,
  sourceOf: () => string | undefined,
  findings: Findings,
): Promise<CallerIdentity | undefined> {
  const needsSts = plugin === "aws_kms" && !("keyPolicyFile" in config && config.keyPolicyFile !== undefined);
  try {
    const caller = await sts.getCallerIdentity();
    const source = sourceOf();
    findings.ok(`the credentials are ${caller.arn}${source === undefined ? "" : `, from: ${source}`}`);
    if (caller.arn.endsWith(":root")) {
      findings.warning(
        "these are the account's root credentials",
        "use a role that may do what docs/iam.md lists, and nothing else",
      );
    }
    return caller;
  } catch (error) {
    if (!isKmsError(error)) throw error;
    const told = `STS does not tell who the server is: ${explain(error)}`;
    if (error.code === "UNAUTHENTICATED") findings.problem(told, "give the server credentials that AWS knows");
    else if (needsSts)
      findings.problem(
        `${told}; the default key policy needs it, so no key can be made`,
        "reach STS (sts_endpoint), or set key_policy_file",
      );
    else findings.warning(told, "key_policy_file makes it needless; only this check wants to know");
    return undefined;
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** How KMS answers a question about a key that cannot exist. @returns the last answer; undefined: it was not reached */
async function ask(
  { operator }: CommandClients,
  keyArn: string,
): Promise<{ readonly error: KmsError | undefined; readonly ms: number }> {
  const times: number[] = [];
  let error: KmsError | undefined;
  for (let n = 0; n < 3; n++) {
    const start = systemClock.elapsedMs();
    error = await operator.probe("DescribeKey", keyArn);
    times.push(systemClock.elapsedMs() - start);
    if (error !== undefined && ["UNAVAILABLE", "TIMEOUT", "UNAUTHENTICATED"].includes(error.code)) break;
  }
  return { error, ms: median(times) };
}

/** @returns whether KMS answers at all */
export async function checkKms(
  { config }: CommandConfiguration,
  clients: CommandClients,
  keyArn: string,
  findings: Findings,
): Promise<boolean> {
  const where = `AWS KMS in ${config.region}${config.endpoint === undefined ? "" : ` at ${config.endpoint}`}`;
  const { error, ms } = await ask(clients, keyArn);
  if (error !== undefined && (error.code === "UNAVAILABLE" || error.code === "TIMEOUT")) {
    findings.problem(
      `${where} cannot be reached: ${explain(error)}`,
      "check network, proxy, DNS, VPC endpoint, region and endpoint",
    );
    return false;
  }
  if (error?.code === "UNAUTHENTICATED") {
    findings.problem(
      `${where} does not accept the credentials: ${explain(error)}`,
      "renew the credentials, check the clock, and that the account has the Region enabled",
    );
    return false;
  }
  findings.ok(`${where} answers in ${Math.max(1, Math.round(ms))} ms (median of 3, connection included in the first)`);
  if (ms > 500)
    findings.warning(
      `${where} is far away: each signature takes at least as long`,
      "use the Region that the server runs in, or a VPC endpoint",
    );
  return true;
}

/** @param serverTime KMS's */
export function checkClock(serverTime: Date | undefined, findings: Findings): void {
  if (serverTime === undefined) {
    findings.unknown(
      "KMS's answers do not tell the time (Date header), so no age can be told and nothing is pruned",
      "look at what stands between the server and KMS",
    );
    return;
  }
  // The header has whole seconds.
  const skewMs = Math.max(0, Math.abs(systemClock.now().getTime() - serverTime.getTime()) - 1_000);
  const skew = `this machine's clock and KMS's differ by ${Math.round(skewMs / 1000)} s`;
  const remedy = "set the clock, and let it be kept by NTP";
  if (skewMs > 15 * minuteMs) findings.problem(`${skew}: AWS refuses signatures beyond 15 minutes`, remedy);
  else if (skewMs > 30_000) findings.warning(skew, remedy);
  else findings.ok(`${skew}${skewMs < 1000 ? " or less" : ""}`);
}
