/** ListKeyPolicies: the names of a key's policies, of which there is one. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { decodeMarker } from "../../framework/pagination.ts";
import { requireKey } from "../key-reference.ts";

export const listKeyPolicies = kmsOperation({
  name: "ListKeyPolicies",
  run(context, input) {
    const key = requireKey(context, input.KeyId, { action: "kms:ListKeyPolicies" });
    decodeMarker(`ListKeyPolicies/${key.account}/${key.region}/${key.keyId}`, input.Marker);
    return { PolicyNames: ["default"], Truncated: false };
  },
});
