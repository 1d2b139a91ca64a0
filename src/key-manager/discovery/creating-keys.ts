/**
 * Keys of this server that KMS is still making, as it does with a replica for some seconds: waited for, and taken in when they
 * are ready. Otherwise a standby that starts in those seconds would lack them until its next Configure.
 */
import { explain } from "../errors.ts";
import { findKey } from "../keys/find-key.ts";
import type { KeyEntry } from "../keys/key-entry.ts";
import type { KeyNames } from "../names.ts";
import type { Clock, KmsClient, Logger } from "../ports.ts";
import type { Setup } from "../setup.ts";
import { examineAlias } from "./alias-discovery.ts";
import type { UnusableKey } from "./key-discovery.ts";

/** Configure waits so long: SPIRE asks for its keys right after it. */
const patienceAtConfigureMs = 10_000;
/** Then they are watched so long. KMS takes seconds, and has been seen to take a minute. */
const watchedForMs = 15 * 60_000;
const firstPollMs = 1_000;
const maxPollMs = 30_000;

export interface CreatingKeysContext {
  readonly kms: Pick<KmsClient, "listAliases" | "describeKey" | "getPublicKey">;
  readonly names: KeyNames;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal | undefined;
}

type Look = { readonly entry: KeyEntry } | { readonly trouble: string } | "creating";

/** Where the alias stands by now; a key that only tags show is looked at by itself. */
async function lookAt({ aliasName, keyArn }: UnusableKey, context: CreatingKeysContext): Promise<Look> {
  const { kms, names, signal } = context;
  const target = await findKey(kms, aliasName, { signal });
  const targetKeyId = target?.keyId ?? keyArn;
  const finding = await examineAlias({ aliasName, targetKeyId }, { kms, names, signal });
  if (finding === undefined) return { trouble: "its alias stands on a key of another trust domain" };
  if ("entry" in finding) return { entry: finding.entry };
  return finding.unusable.isCreating ? "creating" : { trouble: finding.unusable.trouble };
}

/** @returns the key once it is ready; `creating` when it is not in time; undefined when it never will be */
async function untilReady(
  key: UnusableKey,
  limitMs: number,
  context: CreatingKeysContext,
): Promise<KeyEntry | "creating" | undefined> {
  const { clock, log, signal } = context;
  const end = clock.elapsedMs() + limitMs;
  const { aliasName: alias_name, keyArn: key_arn } = key;
  for (let pollMs = firstPollMs; clock.elapsedMs() + pollMs <= end; pollMs = Math.min(pollMs * 1.5, maxPollMs)) {
    await clock.sleep(pollMs, signal);
    try {
      const seen = await lookAt(key, context);
      if (seen === "creating") continue;
      if ("entry" in seen) return seen.entry;
      log.error("A key that KMS was making cannot be used: it is left out", {
        alias_name,
        key_arn,
        reason: seen.trouble,
      });
      return undefined;
    } catch (error) {
      signal?.throwIfAborted();
      log.debug("Cannot look at a key that KMS is making", { alias_name, key_arn, reason: explain(error) });
    }
  }
  return "creating";
}

/**
 * Waits for the keys that KMS is making, within what Configure can wait.
 *
 * @returns those that are ready
 */
export async function waitForCreating(
  unusable: readonly UnusableKey[],
  context: CreatingKeysContext,
): Promise<readonly KeyEntry[]> {
  const creating = unusable.filter(({ isCreating }) => isCreating);
  const found = await Promise.all(creating.map((key) => untilReady(key, patienceAtConfigureMs, context)));
  return found.filter((entry) => entry !== undefined && entry !== "creating");
}

/** Watches one further. @param takeIn is given the key when it is ready */
async function watch(
  key: UnusableKey,
  context: CreatingKeysContext,
  takeIn: (entry: KeyEntry) => Promise<void>,
): Promise<void> {
  const { log } = context;
  const { aliasName: alias_name, keyArn: key_arn } = key;
  log.warn("KMS is still making a key of this server: it is taken in when it is ready", { alias_name, key_arn });
  const entry = await untilReady(key, watchedForMs, context);
  if (entry === "creating") {
    log.error("KMS has not finished making a key of this server: it is left out until the next Configure", {
      alias_name,
      key_arn,
    });
  } else if (entry !== undefined) await takeIn(entry);
}

/**
 * Takes in, in the background, what KMS had not finished by the end of Configure.
 *
 * @param onReady told of each key that has come into use
 */
export function takeInCreated(
  unusable: readonly UnusableKey[],
  setup: Setup,
  signal: AbortSignal,
  onReady: (entry: KeyEntry) => void,
): void {
  const { ring, log, awaited } = setup;
  const takeIn = (entry: KeyEntry): Promise<void> =>
    ring.inTurn(entry.keyId, async () => {
      const { keyId, keyArn, aliasName } = entry;
      if (signal.aborted || ring.get(keyId) !== undefined) return;
      ring.put(entry);
      log.info("Key is ready and in use", { key_id: keyId, key_arn: keyArn, alias_name: aliasName });
      onReady(entry);
    });
  for (const key of unusable.filter(({ isCreating }) => isCreating)) {
    awaited.add(key.aliasName);
    watch(key, { ...setup, signal }, takeIn)
      // The configuration is over.
      .catch(() => undefined)
      .finally(() => awaited.delete(key.aliasName));
  }
}
