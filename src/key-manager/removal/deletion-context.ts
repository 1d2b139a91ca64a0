/** What the deletions of one queue share, and how their log lines name a key. */
import type { DeletionRequest } from "../deletions.ts";
import type { LogLimit } from "../pace/log-limit.ts";
import type { Clock, Logger } from "../ports.ts";
import type { Telemetry } from "../telemetry.ts";

export interface KeyDeletionOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Last look before each attempt: a key in use is never scheduled, whoever asked for it. */
  readonly isInUse: (keyArn: string) => boolean;
  readonly telemetry?: Telemetry | undefined;
}

/** What all deletions of a queue share. */
export interface KeyDeletionContext extends KeyDeletionOptions {
  /** Ends all waiting and trying. */
  readonly stop: AbortSignal;
  /** Runs an attempt when it is its turn. */
  readonly inTurn: <T>(attempt: () => Promise<T>) => Promise<T>;
  readonly failures: LogLimit;
  /** How many keys wait, this one among them. */
  readonly waiting: () => number;
}

export const fieldsOf = ({ details, keyArn, aliasName, rule }: DeletionRequest) => ({
  ...details,
  key_arn: keyArn,
  alias_name: aliasName,
  rule,
});
