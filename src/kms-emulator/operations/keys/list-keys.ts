/** ListKeys: ids and ARNs of all keys of a Region, by pages. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { decodeMarker, firstPage, pageMembers } from "../../framework/pagination.ts";
import { keyArn } from "../../identifiers.ts";

export const listKeys = kmsOperation({
  name: "ListKeys",
  run(context, input) {
    const { account, region, view } = context;
    context.access.require(context.caller, region, { action: "kms:ListKeys", resource: "*" });
    const scope = `ListKeys/${account}/${region}`;
    const after = decodeMarker(scope, input.Marker);
    // No key is shared through AWS RAM.
    const isOwnWanted = input.ResourceOwners?.includes("SELF") ?? true;
    const page = firstPage(isOwnWanted ? view.keyIdsAfter(after) : [], input.Limit ?? 100);
    return {
      Keys: page.items.map((id) => ({ KeyId: id, KeyArn: keyArn(account, region, id) })),
      ...pageMembers(page, scope),
    };
  },
});
