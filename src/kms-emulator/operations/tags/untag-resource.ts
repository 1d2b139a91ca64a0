/** UntagResource: takes tags off a key. */
import { operation } from "../../framework/operation.ts";
import { structure } from "../../framework/validation.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { keyId, tagKeys } from "../request-members.ts";

export const untagResource = operation({
  service: "kms",
  name: "UntagResource",
  input: structure({ KeyId: keyId, TagKeys: tagKeys }),
  run(context, input) {
    const key = requireCustomerKey(context, input.KeyId, {
      action: "kms:UntagResource",
      conditions: { "aws:TagKeys": input.TagKeys },
    });
    requireState("UntagResource", key);
    const removed = new Set(input.TagKeys);
    changeKey(context, key, (present) => ({ ...present, tags: present.tags.filter((tag) => !removed.has(tag.key)) }));
    return undefined;
  },
});
