/** What tag mode leaves on keys when it is switched off: tags that are refreshed no longer. */
import type { Logger } from "../ports.ts";
import { type TagIdentity, tagNames } from "./spire-tags.ts";

/** As much of a configuration in effect as tells of its tags. */
interface TaggedKeys {
  readonly tags: { readonly identity: TagIdentity | undefined };
  readonly ring: {
    readonly entries: ReadonlyMap<string, { readonly keyArn: string }>;
    uses(keyArn: string): boolean;
  };
}

/**
 * Warns when this process goes back to discovery by aliases. Our own scans spare keys whose alias is fresh; the built-in
 * plugin in tag mode goes by the tags alone.
 *
 * Only here it is known at no cost: DescribeKey shows no tags, and alias mode may not list them.
 */
export function warnOfTagsLeft(before: TaggedKeys | undefined, after: TaggedKeys, log: Logger): void {
  const { tags, ring } = after;
  if (before?.tags.identity === undefined || tags.identity !== undefined) return;
  const keyArns = [...ring.entries.values()].map(({ keyArn }) => keyArn).filter((keyArn) => before.ring.uses(keyArn));
  if (keyArns.length === 0) return;
  const names = Object.values(tagNames).join(" ");
  log.warn(
    "Tag-based key discovery was switched off: its tags stay on the keys and are refreshed no longer. A server of this trust domain with SPIRE's built-in plugin in tag mode would schedule these keys for deletion after two weeks",
    {
      key_arns: keyArns.slice(0, 10),
      keys: keyArns.length,
      remedy: `if there is such a server, rotate each key or remove its tags within two weeks: aws kms untag-resource --key-id KEY_ARN --tag-keys ${names}`,
    },
  );
}
