/** From a checked configuration of `aws_kms` to what its key manager is made of; reads files and AWS, changes nothing. */
import { randomUUID } from "node:crypto";
import { KeyManagerError, keyManagerError } from "../../key-manager/errors.ts";
import type { IamClient, Logger, StsClient } from "../../key-manager/ports.ts";
import type { TagIdentity } from "../../key-manager/tags/spire-tags.ts";
import { defaultKeyPolicy, readKeyPolicyFile } from "./key-policy.ts";
import { awsKmsNames, type KeyNames } from "./names.ts";
import { assumedRoleOf, isArnOfRole, type RoleArns } from "./role-arns.ts";
import { createServerIdFile, readServerId } from "./server-id.ts";
import type { AwsKmsConfig } from "./settings.ts";

/** A server id, and how to make it last once everything else has succeeded. */
interface ResolvedServerId {
  readonly serverId: string;
  readonly keep: () => Promise<void>;
}

/** What preparing a configuration may use. */
export interface PreparationContext {
  readonly sts: StsClient;
  readonly iam: IamClient;
  readonly roleArns: RoleArns;
  readonly log: Logger;
  readonly signal: AbortSignal | undefined;
}

/**
 * The key policy document of a new key; undefined = KMS's default. Asked for when the key is to be made: what it takes may
 * still be under way after Configure. Never rejects, and takes no more than seconds.
 */
export type KeyPolicySource = () => Promise<string | undefined>;

export interface Preparation {
  readonly names: KeyNames;
  readonly keyPolicy: KeyPolicySource;
  /** Who the server is in tags; needed for tag mode only. */
  readonly identity: TagIdentity | undefined;
  /** Makes lasting what had to be decided (a new server id); the last step that can fail. */
  readonly commit: () => Promise<void>;
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
  { sts, iam, roleArns, log, signal }: PreparationContext,
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

/** Reads what the configuration refers to: server id, key policy, caller identity. */
export async function prepareAwsKms(config: AwsKmsConfig, context: PreparationContext): Promise<Preparation> {
  const { serverId, keep } = await resolveServerId(config, context.log);
  const keyPolicy = await resolveKeyPolicy(config, context);
  const { trustDomain } = config;
  const names = awsKmsNames(trustDomain, serverId);
  return { names, keyPolicy, identity: { trustDomain, serverId }, commit: keep };
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
