/** TagResource: adds tags to a key or replaces their values. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { changeKey } from "../change-key.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { mergeTags, readTags, requestTagConditions } from "./tag-rules.ts";

export const tagResource = kmsOperation({
  name: "TagResource",
  run(context, input) {
    const tags = readTags(input.Tags);
    const key = requireCustomerKey(context, input.KeyId, {
      action: "kms:TagResource",
      conditions: requestTagConditions(tags),
    });
    requireState("TagResource", key);
    changeKey(context, key, (present) => ({
      ...present,
      tags: mergeTags(context, present.tags, tags),
      wasTagged: present.wasTagged || tags.length > 0,
    }));
    return undefined;
  },
});
