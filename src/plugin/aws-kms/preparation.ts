/** From a checked configuration of `aws_kms` to what its key manager is made of; reads files and AWS, changes nothing. */
import { randomUUID } from "node:crypto";
import { KeyManagerError, keyManagerError } from "../../key-manager/errors.ts";
import type { Clock, Logger } from "../../key-manager/ports.ts";
import type { KeyPolicySource, PreparationContext, Prepare } from "../../key-manager/setup.ts";
import { defaultKeyPolicy, readKeyPolicyFile } from "./key-policy.ts";
import { awsKmsNames } from "./names.ts";
import { assumedRoleOf, isArnOfRole, RoleArns } from "./role-arns.ts";
import { createServerIdFile, readServerId } from "./server-id.ts";
import type { AwsKmsConfig } from "./settings.ts";

/** A server id, and how to make it last once everything else has succeeded. */
interface ResolvedServerId {
  readonly serverId: string;
  readonly keep: () => Promise<void>;
}

async function resolveServerId({ identity }: AwsKmsConfig, log: Logger): Promise<ResolvedServerId> {
  if (identity.kind === "value") return { serverId: identity.value, keep: async () => undefined };
  const { path, setting } = identity;
  const existing = await readServerId(path, setting);
  if (existing !== undefined) return { serverId: existing, keep: async () => undefined };
  const serverId = randomUUID();
  return {
    serverId,
    async keep() {
      await createServerIdFile(path, setting, serverId);
      log.warn("Server id file not found: made a new server id; keys of an earlier one will not be used", {
        [setting]: path,
        server_id: serverId,
      });
    },
  };
}

async function resolveKeyPolicy(
  { keyPolicyFile, assumeRole }: AwsKmsConfig,
  roleArns: RoleArns,
  { sts, iam, log, signal }: PreparationContext,
): Promise<KeyPolicySource> {
  if (keyPolicyFile !== undefined) {
    const document = await readKeyPolicyFile(keyPolicyFile);
    return async () => document;
  }
  const caller = await sts.getCallerIdentity({ signal }).catch((error: unknown) => {
    throw keyManagerError("failed to find out who the server is to AWS, which the default key policy needs", error);
  });
  const role = assumedRoleOf(caller.arn);
  if (role === undefined) {
    log.warn(
      "The server has not assumed an IAM role, so new keys get AWS KMS's default key policy; assign a role, or set key_policy_file",
      { caller_arn: caller.arn },
    );
    return async () => undefined;
  }
  const configured = assumeRole?.roleArn;
  if (configured !== undefined && isArnOfRole(configured, role)) {
    return async () => defaultKeyPolicy(role, configured);
  }
  // Nobody waits for IAM here: its answer is wanted when a key is made, and that is soon.
  void roleArns.find(role, iam);
  return async () => defaultKeyPolicy(role, await roleArns.found(role, iam));
}

/**
 * Reads what the configuration refers to: server id, key policy, caller identity.
 *
 * @param options of the process: what was learnt of the role's ARN outlives a reconfiguration
 */
export function awsKmsPreparation(options: { readonly clock: Clock; readonly log: Logger }): Prepare<AwsKmsConfig> {
  const roleArns = new RoleArns(options);
  return async (config, context) => {
    const { serverId, keep } = await resolveServerId(config, context.log);
    const keyPolicy = await resolveKeyPolicy(config, roleArns, context);
    const { trustDomain } = config;
    const names = awsKmsNames(trustDomain, serverId);
    return { names, keyPolicy, identity: { trustDomain, serverId }, commit: keep };
  };
}

/** Problems with the files that a configuration names, found without touching AWS or changing anything; for Validate. */
export async function fileProblems({ identity, keyPolicyFile }: AwsKmsConfig): Promise<readonly string[]> {
  const checks: Promise<unknown>[] = [];
  if (identity.kind === "file") checks.push(readServerId(identity.path, identity.setting));
  if (keyPolicyFile !== undefined) checks.push(readKeyPolicyFile(keyPolicyFile));
  const outcomes = await Promise.allSettled(checks);
  return outcomes.flatMap((outcome) => {
    if (outcome.status === "fulfilled") return [];
    if (outcome.reason instanceof KeyManagerError) return [outcome.reason.message];
    throw outcome.reason;
  });
}
