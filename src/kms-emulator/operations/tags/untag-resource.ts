import { operation } from "../../context.ts";
import { requireCustomerKey } from "../../state/key-reference.ts";
import { requireState } from "../../state/key-state.ts";
import { structure } from "../../validation.ts";
import { changeKey } from "../keys/change-key.ts";
import { keyId, tagKeys } from "../members.ts";

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
    const gone = new Set(input.TagKeys);
    changeKey(context, key, (present) => ({ ...present, tags: present.tags.filter((tag) => !gone.has(tag.key)) }));
    return undefined;
  },
});
