/** What AWS asks of the tags in a request. */
import { AwsException } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import type { Tag } from "../../state/records.ts";

interface WireTag {
  readonly TagKey: string;
  readonly TagValue: string;
}

/** Tags of a request in the store's form; throws TagException for duplicates (case-sensitive) and `aws:` keys. */
export function readTags(tags: readonly WireTag[]): Tag[] {
  if (new Set(tags.map((tag) => tag.TagKey)).size < tags.length) {
    throw new AwsException("TagException", "Duplicate tag keys");
  }
  if (tags.some((tag) => /^aws:/i.test(tag.TagKey))) {
    throw new AwsException("TagException", "Tags beginning with aws: are reserved");
  }
  return tags.map((tag) => ({ key: tag.TagKey, value: tag.TagValue }));
}

/** `added` over `existing`, values replaced in place; throws TagException above the limit. */
export function mergeTags(context: OperationContext, existing: readonly Tag[], added: readonly Tag[]): readonly Tag[] {
  const merged = new Map(existing.map((tag) => [tag.key, tag]));
  for (const tag of added) merged.set(tag.key, tag);
  if (merged.size > context.limits.tagsPerKey) throw new AwsException("TagException", "Too many tags");
  return [...merged.values()];
}

/** Condition keys that a request with tags sets. */
export function requestTagConditions(tags: readonly Tag[]): Record<string, string | readonly string[]> {
  const values = Object.fromEntries(tags.map((tag) => [`aws:RequestTag/${tag.key}`, tag.value]));
  return tags.length === 0 ? {} : { ...values, "aws:TagKeys": tags.map((tag) => tag.key) };
}
