/** From a checked configuration of `aws_kms` to what its key manager is made of; reads files and AWS, changes nothing. */
import { randomUUID } from "node:crypto";
import { KeyManagerError } from "../../key-manager/errors.ts";
import type { Clock, Logger, RoleInAccount } from "../../key-manager/ports.ts";
import type { KeyPolicySource, PreparationContext, Prepare } from "../../key-manager/setup.ts";
import { SettingFiles } from "../settings/setting-files.ts";
import { defaultKeyPolicy, readKeyPolicyFile } from "./key-policy.ts";
import { awsKmsNames } from "./names.ts";
import { OwnIdentity } from "./own-identity.ts";
import { assumedRoleOf, isArnOfRole, RoleArns } from "./role-arns.ts";
import { createServerIdFile, readServerId } from "./server-id.ts";
import type { AwsKmsConfig } from "./settings.ts";

/** What the process knows, whatever it is configured with. */
interface ProcessContext {
  readonly clock: Clock;
  readonly files: SettingFiles;
  readonly roleArns: RoleArns;
}

/** A server id, and how to make it last once everything else has succeeded. */
interface ResolvedServerId {
  readonly serverId: string;
  /** Whether the file was there: then there should be keys. */
  readonly wasThere: boolean;
  readonly keep: () => Promise<void>;
}

async function resolveServerId(
  { identity }: AwsKmsConfig,
  { files, clock }: ProcessContext,
  log: Logger,
): Promise<ResolvedServerId> {
  if (identity.kind === "value") return { serverId: identity.value, wasThere: false, keep: async () => undefined };
  const { path, setting } = identity;
  const existing = await readServerId(path, setting, files);
  if (existing !== undefined) return { serverId: existing, wasThere: true, keep: async () => undefined };
  const serverId = randomUUID();
  return {
    serverId,
    wasThere: false,
    async keep() {
      await createServerIdFile(path, setting, serverId, { files, clock });
      log.warn("Server id file not found: made a new server id; keys of an earlier one will not be used", {
        [setting]: path,
        server_id: serverId,
      });
    },
  };
}

/** With the account, which is wrong as often as the Region; STS tells it within its time limits, or not. */
async function warnOfNoKeys(config: AwsKmsConfig, serverId: string, { sts, log }: PreparationContext): Promise<void> {
  const account = await sts.getCallerIdentity().then(
    (identity) => identity.account,
    () => undefined,
  );
  log.warn(
    "No key of this server is in KMS, although its identifier file was there: SPIRE makes new ones, and a new CA with them. If there should be keys, stop it; Region, account or trust domain may be wrong, or the keys scheduled for deletion",
    {
      region: config.region,
      ...(account === undefined ? {} : { account_id: account }),
      trust_domain: config.trustDomain,
      server_id: serverId,
    },
  );
}

async function resolveKeyPolicy(
  { keyPolicyFile, assumeRole }: AwsKmsConfig,
  { clock, files, roleArns }: ProcessContext,
  { sts, iam, log }: PreparationContext,
): Promise<KeyPolicySource> {
  if (keyPolicyFile !== undefined) {
    const document = await readKeyPolicyFile(keyPolicyFile, files);
    return async () => document;
  }
  const configuredArnOf = (role: RoleInAccount): string | undefined =>
    assumeRole !== undefined && isArnOfRole(assumeRole.roleArn, role) ? assumeRole.roleArn : undefined;
  const self = new OwnIdentity({
    sts,
    clock,
    log,
    onKnown({ arn }) {
      const role = assumedRoleOf(arn);
      if (role === undefined) {
        log.warn(
          "The server has not assumed an IAM role, so new keys get AWS KMS's default key policy; assign a role, or set key_policy_file",
          { caller_arn: arn },
        );
        // Nothing waits for IAM here: its answer is wanted when a key is made, and that is soon.
      } else if (configuredArnOf(role) === undefined) void roleArns.find(role, iam);
    },
  });
  self.askInBackground();
  return async () => {
    const role = assumedRoleOf((await self.found()).arn);
    if (role === undefined) return undefined;
    return defaultKeyPolicy(role, configuredArnOf(role) ?? (await roleArns.found(role, iam)));
  };
}

export interface PreparationOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Default: of its own. */
  readonly files?: SettingFiles;
}

/**
 * Reads what the configuration refers to: server id and key policy; asks who the server is, and waits for no answer.
 *
 * @param options of the process: what was learnt of the role's ARN outlives a reconfiguration
 */
export function awsKmsPreparation(options: PreparationOptions): Prepare<AwsKmsConfig> {
  const { clock, files = new SettingFiles({ clock }) } = options;
  const own = { clock, files, roleArns: new RoleArns(options) };
  return async (config, context) => {
    const { serverId, wasThere, keep } = await resolveServerId(config, own, context.log);
    const keyPolicy = await resolveKeyPolicy(config, own, context);
    const { trustDomain } = config;
    const names = awsKmsNames(trustDomain, serverId);
    const onNoKeys = wasThere ? { onNoKeys: () => void warnOfNoKeys(config, serverId, context) } : {};
    return { names, keyPolicy, identity: { trustDomain, serverId }, ...onNoKeys, commit: keep };
  };
}

/** Problems with the files that a configuration names, found without touching AWS or changing anything; for Validate. */
export async function fileProblems(
  { identity, keyPolicyFile }: AwsKmsConfig,
  files: SettingFiles,
): Promise<readonly string[]> {
  const checks: Promise<unknown>[] = [];
  if (identity.kind === "file") checks.push(readServerId(identity.path, identity.setting, files));
  if (keyPolicyFile !== undefined) checks.push(readKeyPolicyFile(keyPolicyFile, files));
  const outcomes = await Promise.allSettled(checks);
  return outcomes.flatMap((outcome) => {
    if (outcome.status === "fulfilled") return [];
    if (outcome.reason instanceof KeyManagerError) return [outcome.reason.message];
    throw outcome.reason;
  });
}
