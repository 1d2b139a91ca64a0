/** ListGrants: the grants on a key, by pages. */
import { invalid } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { requireKey } from "../key-reference.ts";
import { requireGrantId } from "./find-grant.ts";
import { grantPage } from "./grant-page.ts";

export const listGrants = kmsOperation({
  name: "ListGrants",
  maxLimit: 100,
  run(context, input) {
    const { GrantId, GranteePrincipal, GranteeServicePrincipal } = input;
    const key = requireKey(context, input.KeyId, {
      action: "kms:ListGrants",
      acceptsForeign: true,
      conditions: { "kms:GrantIsForAWSResource": "false" },
    });
    if (GranteePrincipal !== undefined && GranteeServicePrincipal !== undefined) {
      throw invalid("Specify GranteePrincipal or GranteeServicePrincipal, but not both."); // text [I]
    }
    if (GrantId !== undefined) requireGrantId(GrantId);
    const grants = context
      .viewOf(key.account, key.region)
      .grantsOf(key.keyId)
      .filter((grant) => GrantId === undefined || grant.grantId === GrantId)
      .filter((grant) => GranteePrincipal === undefined || grant.granteePrincipal === GranteePrincipal)
      .filter(
        (grant) => GranteeServicePrincipal === undefined || grant.granteeServicePrincipal === GranteeServicePrincipal,
      );
    return grantPage(grants, `ListGrants/${key.account}/${key.region}/${key.keyId}`, input);
  },
});
