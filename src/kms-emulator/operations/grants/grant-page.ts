/** A page of a listing of grants. */
import { decodeMarker, firstPage, pageMembers } from "../../framework/pagination.ts";
import type { ListGrantsResponse } from "../../model/kms-types.gen.ts";
import type { GrantRecord } from "../../state/records.ts";
import { grantEntry, grantOrder, inOrder } from "./grant-entry.ts";

interface PageRequest {
  readonly Limit?: number | undefined;
  readonly Marker?: string | undefined;
}

export function grantPage(
  grants: readonly GrantRecord[],
  scope: string,
  { Limit = 50, Marker }: PageRequest,
): ListGrantsResponse {
  const after = decodeMarker(scope, Marker);
  const rest = inOrder(grants).filter((grant) => after === undefined || grantOrder(grant) > after);
  const page = firstPage(rest.map(grantOrder), Limit);
  return { Grants: rest.slice(0, page.items.length).map(grantEntry), ...pageMembers(page, scope) };
}
