/** UntagResource: takes tags off a key. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";

export const untagResource = kmsOperation({
  name: "UntagResource",
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
