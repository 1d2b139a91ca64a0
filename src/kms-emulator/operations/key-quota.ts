/** How many keys a Region may hold; replicas count where they are. */
import { AwsException } from "../exceptions.ts";
import type { OperationContext } from "../framework/context.ts";

export function requireRoomForKey(context: OperationContext, region: string): void {
  const used = context.viewOf(context.account, region).keyCount;
  const quota = context.limits.keysPerRegion;
  if (used < quota) return;
  throw new AwsException(
    "LimitExceededException",
    `Key quota for this account in this region is ${quota} but the current usage is ${used}.`,
  );
}
