import { EmulatorError } from "../errors.ts";
import { isAccountId, partitionOf } from "../identifiers.ts";
import { type Identity, identityFromArn } from "../identity.ts";
import type { IdentityConfig } from "../options.ts";

/** Who exists: the identities behind access keys. */
export interface StsDirectory {
  /** The identity of an access key id; undefined if nobody has it. */
  find(accessKeyId: string): Identity | undefined;
}

const policyTexts = (policies: IdentityConfig["policies"]): readonly string[] | undefined =>
  policies?.map((policy) => (typeof policy === "string" ? policy : JSON.stringify(policy)));

function fromConfig(config: IdentityConfig): Identity {
  try {
    return identityFromArn(config.arn, { ...config, policies: policyTexts(config.policies) });
  } catch (cause) {
    throw new EmulatorError("INVALID_OPTION", `identity ${config.accessKeyId}: ${(cause as Error).message}`, { cause });
  }
}

export class Directory implements StsDirectory {
  readonly #account: string;
  readonly #identities: ReadonlyMap<string, Identity>;

  constructor(account: string, configs: readonly IdentityConfig[]) {
    if (!isAccountId(account)) throw new EmulatorError("INVALID_OPTION", `account ${account} is not 12 digits`);
    this.#account = account;
    this.#identities = new Map(configs.map((config) => [config.accessKeyId, fromConfig(config)]));
  }

  find(accessKeyId: string): Identity | undefined {
    return this.#identities.get(accessKeyId);
  }

  /** Who calls with this access key. Unknown keys and unsigned calls are the default role's. */
  callerOf(accessKeyId: string | undefined, region: string): Identity {
    const known = accessKeyId === undefined ? undefined : this.find(accessKeyId);
    return known ?? this.defaultIdentity(region, accessKeyId);
  }

  defaultIdentity(region: string, accessKeyId?: string, account = this.#account): Identity {
    const arn = `arn:${partitionOf(region)}:sts::${account}:assumed-role/spire-server/i-0123456789`;
    return identityFromArn(arn, { accessKeyId });
  }
}
