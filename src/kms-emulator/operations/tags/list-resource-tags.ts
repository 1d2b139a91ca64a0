/** ListResourceTags: the tags of a key, by pages. */
import { operation } from "../../framework/operation.ts";
import { decodeMarker, firstPage, pageMembers } from "../../framework/pagination.ts";
import { structure } from "../../framework/validation.ts";
import { requireKey } from "../key-reference.ts";
import { keyId, limit, optionalMarker } from "../request-members.ts";

export const listResourceTags = operation({
  service: "kms",
  name: "ListResourceTags",
  input: structure({ KeyId: keyId, Limit: limit(50), Marker: optionalMarker }),
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
