/** ListRetirableGrants: the grants that a principal may give back, on whatever keys of the Region, by pages. */
import { AwsException, invalid } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { isPrincipalShaped } from "../../policy/principals.ts";
import { grantPage } from "./grant-page.ts";

/** Texts [I]. */
export const listRetirableGrants = kmsOperation({
  name: "ListRetirableGrants",
  maxLimit: 100,
  run(context, input) {
    const { account, region } = context;
    const { RetiringPrincipal, RetiringServicePrincipal } = input;
    if ((RetiringPrincipal === undefined) === (RetiringServicePrincipal === undefined)) {
      throw invalid("Specify RetiringPrincipal or RetiringServicePrincipal, but not both.");
    }
    const isService = RetiringPrincipal?.endsWith(".amazonaws.com") ?? true;
    if (!isService && !isPrincipalShaped(RetiringPrincipal ?? "")) {
      throw new AwsException("InvalidArnException", `ARN does not refer to a valid principal: ${RetiringPrincipal}`);
    }
    const resource = RetiringPrincipal ?? "*";
    context.access.require(context.caller, region, { action: "kms:ListRetirableGrants", resource });
    const grants = [...context.accountsIn(region)]
      .flatMap((owner) => [...context.viewOf(owner, region).allGrants()])
      .filter((grant) =>
        RetiringPrincipal === undefined
          ? grant.retiringServicePrincipal === RetiringServicePrincipal
          : grant.retiringPrincipal === RetiringPrincipal,
      );
    return grantPage(grants, `ListRetirableGrants/${account}/${region}/${resource}`, input);
  },
});
