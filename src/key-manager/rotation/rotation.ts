/**
 * GenerateKey: a new key under an id, and the way out for the one that it replaces.
 *
 * Read on in the order in which it happens: `new-key.ts` makes the key, `alias-assignment.ts` points the alias at it,
 * `succession.ts` puts it in place and hands the replaced key to the deletion queue.
 */

import type { KeyType } from "../key-type.ts";
import { findKey } from "../keys/find-key.ts";
import type { KeyEntry, PublicKey } from "../keys/key-entry.ts";
import { requireKeyId } from "../keys/key-ring.ts";
import type { Clock } from "../ports.ts";
import type { Setup } from "../setup.ts";
import { CreationCeiling } from "./creation-ceiling.ts";
import { KeyGeneration } from "./key-generation.ts";
import type { KeyGenerationRequest } from "./new-key.ts";
import { requireHome } from "./standby.ts";

/** One for a process: the ceiling on creations outlives a reconfiguration. */
export class Rotation {
  readonly #ceiling: CreationCeiling;

  constructor(clock: Clock) {
    this.#ceiling = new CreationCeiling(clock);
  }

  /**
   * Creates a key under `keyId`; a key that was there is replaced and scheduled for deletion. Generations of one id go one
   * after another; of different ids, side by side.
   *
   * When the signal aborts, what is under way is taken back: the new key is scheduled for deletion, unless its alias
   * has been asked for already, in which case the rotation is carried through.
   *
   * @throws KeyManagerError; the signal's reason
   */
  async generateKey(setup: Setup, keyId: string, keyType: KeyType, signal?: AbortSignal): Promise<PublicKey> {
    requireKeyId(keyId);
    requireHome(setup, keyId);
    const { ring, names } = setup;
    // A key found under another spelling of its alias (the built-in plugin's) keeps it.
    const aliasName = ring.get(keyId)?.aliasName ?? names.aliasFor(keyId);
    const request: KeyGenerationRequest = { keyId, keyType, aliasName, signal, ceiling: this.#ceiling };
    return ring.inTurn(keyId, async () => {
      return (await undeliveredKey(setup, keyId, keyType, signal)) ?? new KeyGeneration(setup, request).run();
    });
  }
}

/**
 * The key of this id, if it was made for a caller who had given up when it stood, and no caller has learnt of it since:
 * SPIRE asks again, and a second key would be one too many.
 */
async function undeliveredKey(
  { kms, log, telemetry, ring }: Setup,
  keyId: string,
  keyType: KeyType,
  signal: AbortSignal | undefined,
): Promise<KeyEntry | undefined> {
  const entry = ring.get(keyId);
  if (entry?.keyType !== keyType || !ring.isUndelivered(entry)) return;
  const target = await findKey(kms, entry.aliasName).catch(() => undefined);
  if (signal?.aborted) return;
  ring.markDelivered(keyId);
  if (target?.arn !== entry.keyArn || target.keyState !== "Enabled" || ring.get(keyId) !== entry) return;
  telemetry.count("keys_reused");
  log.info("Handing out the key of a call that was given up", { key_id: keyId, key_arn: entry.keyArn });
  return entry;
}
