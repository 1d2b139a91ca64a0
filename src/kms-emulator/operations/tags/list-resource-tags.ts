/** ListResourceTags: the tags of a key, by pages. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { decodeMarker, firstPage, pageMembers } from "../../framework/pagination.ts";
import { requireKey } from "../key-reference.ts";

export const listResourceTags = kmsOperation({
  name: "ListResourceTags",
  maxLimit: 50,
  run(context, input) {
    const key = requireKey(context, input.KeyId, { action: "kms:ListResourceTags" });
    const scope = `ListResourceTags/${key.account}/${key.region}/${key.keyId}`;
    const after = decodeMarker(scope, input.Marker);
    const values = new Map(key.tags.map((tag) => [tag.key, tag.value]));
    const names = [...values.keys()].sort().filter((name) => after === undefined || name > after);
    const page = firstPage(names, input.Limit ?? 50);
    return {
      Tags: page.items.map((name) => ({ TagKey: name, TagValue: values.get(name) ?? "" })),
      ...pageMembers(page, scope),
    };
  },
});
