/** A grant as the listings show it. */

import { keyArn, partitionOf } from "../../identifiers.ts";
import type { GrantListEntry } from "../../model/kms-types.gen.ts";
import type { GrantRecord } from "../../state/records.ts";

type Operations = NonNullable<GrantListEntry["Operations"]>;

const shown = <N extends string, T>(name: N, value: T | undefined) =>
  (value === undefined ? {} : { [name]: value }) as { readonly [K in N]?: T };

export function grantEntry(grant: GrantRecord): GrantListEntry {
  const { account, region, keyId } = grant;
  return {
    KeyId: keyArn(account, region, keyId),
    GrantId: grant.grantId,
    ...shown("Name", grant.name),
    CreationDate: new Date(grant.createdAtMs),
    ...shown("GranteePrincipal", grant.granteePrincipal),
    ...shown("GranteeServicePrincipal", grant.granteeServicePrincipal),
    ...shown("RetiringPrincipal", grant.retiringPrincipal),
    ...shown("RetiringServicePrincipal", grant.retiringServicePrincipal),
    IssuingAccount: `arn:${partitionOf(region)}:iam::${grant.issuingAccount}:root`,
    Operations: grant.operations as Operations,
    ...shown("Constraints", grant.constraints),
  };
}

/** Names in order of creation, for page markers that outlive the grant. */
export const grantOrder = ({ createdAtMs, grantId }: GrantRecord): string =>
  `${String(createdAtMs).padStart(16, "0")}/${grantId}`;

export const inOrder = (grants: readonly GrantRecord[]): GrantRecord[] =>
  [...grants].sort((left, right) => (grantOrder(left) < grantOrder(right) ? -1 : 1));
