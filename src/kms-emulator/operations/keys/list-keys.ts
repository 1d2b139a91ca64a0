/** ListKeys: ids and ARNs of all keys of a Region, by pages. */
import { operation } from "../../framework/operation.ts";
import { decodeMarker, firstPage, pageMembers } from "../../framework/pagination.ts";
import { structure } from "../../framework/validation.ts";
import { keyArn } from "../../identifiers.ts";
import { limit, optionalMarker } from "../request-members.ts";

export const listKeys = operation({
  service: "kms",
  name: "ListKeys",
  input: structure({ Limit: limit(1000), Marker: optionalMarker }),
  run(context, input) {
    const { account, region, view } = context;
    context.access.require(context.caller, region, { action: "kms:ListKeys", resource: "*" });
    const scope = `ListKeys/${account}/${region}`;
    const after = decodeMarker(scope, input.Marker);
    const page = firstPage(view.keyIdsAfter(after), input.Limit ?? 100);
    return {
      Keys: page.items.map((id) => ({ KeyId: id, KeyArn: keyArn(account, region, id) })),
      ...pageMembers(page, scope),
    };
  },
});
