/** Keeps this server's keys alive in tag mode: `spire-last-update` = now on each. */
import { messageOf } from "../errors.ts";
import type { KeyManager } from "../key-manager.ts";
import type { Clock, KmsClient, Logger } from "../ports.ts";
import { lastUpdateTag } from "../spire-tags.ts";
import { Pacer } from "./pacer.ts";
import { type Task, TaskFailure } from "./task.ts";

export interface KeepActiveKeysOptions {
  readonly keyManager: KeyManager;
  readonly kms: KmsClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly intervalMs: number;
}

/** KMS allows 10 TagResource a second, for the whole account. */
const updatesPerSecond = 3;

export function keepActiveKeysTask({ keyManager, kms, clock, log, intervalMs }: KeepActiveKeysOptions): Task {
  const pacer = new Pacer(clock, updatesPerSecond);
  return {
    name: "keep active keys",
    intervalMs,
    async runOnce(signal) {
      let failure: unknown;
      const failed: string[] = [];
      const keyIds = [...keyManager.entries.keys()];
      for (const keyId of keyIds) {
        await pacer.turn(signal);
        const entry = keyManager.entries.get(keyId);
        if (entry === undefined) continue;
        try {
          await kms.tagResource(entry.keyArn, [lastUpdateTag(clock.now())], { signal });
        } catch (error) {
          signal.throwIfAborted();
          failure = error;
          failed.push(keyId);
          log.debug("Failed to keep a key active", {
            key_id: keyId,
            key_arn: entry.keyArn,
            reason: messageOf(error),
          });
        }
      }
      if (failed.length > 0) throw new TaskFailure(`${failed.length} keys were not kept active`, failed, failure);
      return { kept: keyIds.length };
    },
  };
}
