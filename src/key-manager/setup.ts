/** What a plugin prepares for the engine each time it is configured. */
import { KeyManagerError } from "./errors.ts";
import type { KeyNames } from "./names.ts";
import type { IamClient, Logger, StsClient } from "./ports.ts";
import type { TagIdentity } from "./tags/spire-tags.ts";

/** What preparing a configuration may use. */
export interface PreparationContext {
  readonly sts: StsClient;
  readonly iam: IamClient;
  readonly log: Logger;
  readonly signal: AbortSignal | undefined;
}

/**
 * The key policy document of a new key; undefined = KMS's default. Asked for when the key is to be made: what it takes may
 * still be under way after Configure. Takes no more than seconds.
 *
 * @throws KeyManagerError when the policy cannot be known by now: then no key is made, rather than one with another policy
 */
export type KeyPolicySource = () => Promise<string | undefined>;

/** What was prepared does not hold any more: another process was faster. Preparing once more gives what holds now. */
export class PreparedInVain extends KeyManagerError {
  constructor(message: string) {
    super("UNAVAILABLE", message);
  }
}

export interface Preparation {
  readonly names: KeyNames;
  readonly keyPolicy: KeyPolicySource;
  /** Who the server is in tags; needed for tag mode only. */
  readonly identity: TagIdentity | undefined;
  /** Makes lasting what had to be decided (a new server id); the last step that can fail. @throws KeyManagerError, PreparedInVain */
  readonly commit: () => Promise<void>;
}

/**
 * The plugin's own part of putting a configuration into effect. Reads files and AWS, changes nothing.
 *
 * @throws KeyManagerError
 */
export type Prepare<C> = (config: C, context: PreparationContext) => Promise<Preparation>;
