/** Another server that shares our identity may move an alias: the key under the id is then the one where it stands by now. */
import { examineAlias } from "../discovery/alias-discovery.ts";
import type { KeyEntry } from "../keys/key-entry.ts";
import type { Setup } from "../setup.ts";
import { watchIdentity } from "./identity-watch.ts";

/**
 * Looks where the alias of an entry points to by now and puts the key there in the entry's place.
 *
 * @returns the entry in place now if it is another one, undefined when nothing has changed or the other key cannot be used
 * @throws KmsError
 */
export async function followAlias(setup: Setup, entry: KeyEntry, signal?: AbortSignal): Promise<KeyEntry | undefined> {
  const { kms, names, log, ring, tags, limits } = setup;
  const { aliasName, keyId } = entry;
  const target = await kms.describeKey(aliasName, { signal });
  const finding =
    target.arn === entry.keyArn
      ? undefined
      : await examineAlias({ aliasName, targetKeyId: target.keyId }, { kms, names, signal });
  const current = ring.get(keyId);
  if (current !== undefined && current.keyArn !== entry.keyArn) return current;
  if (target.arn !== entry.keyArn) {
    const isOther = await watchIdentity({ keyId, aliasName, target, known: entry }, setup);
    if (isOther && setup.config.refuseSharedIdentity) return undefined;
  }
  if (finding !== undefined && "entry" in finding) {
    const followed = { ...finding.entry, keyId };
    ring.put(followed);
    // A standby was told already what it follows.
    if (!followed.multiRegion?.isReplica) {
      log.warn("Another server with this identity has rotated a key: using its key now", {
        key_id: keyId,
        alias_name: aliasName,
        key_arn: target.arn,
        replaced_key_arn: entry.keyArn,
      });
    }
    void tags.claim(followed);
    return followed;
  }
  if (finding !== undefined) {
    const { trouble } = finding.unusable;
    limits.run(`unusable ${keyId}`, (more) =>
      log.error("Another server with this identity has moved an alias to a key that cannot be used", {
        key_id: keyId,
        alias_name: aliasName,
        key_arn: target.arn,
        reason: trouble,
        ...more,
      }),
    );
  }
  return undefined;
}
