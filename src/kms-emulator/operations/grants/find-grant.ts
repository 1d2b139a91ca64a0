/** The grant that a request names. */
import { AwsException, notFound } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import type { GrantRecord, KeyRecord } from "../../state/records.ts";

/** Throws InvalidGrantIdException for a text that is no id of a grant; AWS's text is not known [I]. */
export function requireGrantId(id: string): void {
  if (!/^[0-9a-f]{64}$/.test(id)) throw new AwsException("InvalidGrantIdException", `Invalid grant ID ${id}`);
}

/** Text [I]. */
export const grantNotFound = (id: string): AwsException => notFound(`Grant ID ${id} not found`);

export function findGrant(context: OperationContext, key: KeyRecord, id: string): GrantRecord {
  requireGrantId(id);
  const grant = context.viewOf(key.account, key.region).grant(id);
  if (grant?.keyId === key.keyId) return grant;
  throw grantNotFound(id);
}
