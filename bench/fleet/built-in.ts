/**
 * What the same fleet asks of KMS with SPIRE's built-in plugin, computed from its schedule: each server refreshes its
 * aliases every 6 hours, walks over all aliases every 24 hours, and over all keys every 48 hours, describing each one.
 */

/** Requests a second that an account has by default (AWS, "Request quotas"). */
export const limits: Readonly<Record<string, number>> = {
  CreateKey: 5,
  CreateAlias: 5,
  UpdateAlias: 5,
  DescribeKey: 2_000,
  GetPublicKey: 2_000,
  ListAliases: 500,
  ListKeys: 500,
  ScheduleKeyDeletion: 15,
};

/** Two slots of two kinds. */
const keysInUse = 4;
/** A CA of 24 hours: two X.509 and two JWT keys. */
const rotationsADay = 4;
const pendingDays = 7;
const refreshesADay = 4;
const aliasesPerPage = 100;
const keysPerPage = 1_000;

/** Calls a day and server, by operation; those that are asked again because KMS refused them are not among them. */
export function builtInCallsADay(servers: number): Readonly<Record<string, number>> {
  const keys = servers * (keysInUse + rotationsADay * pendingDays);
  const aliasPages = Math.ceil((servers * keysInUse) / aliasesPerPage);
  return {
    CreateKey: rotationsADay,
    DescribeKey: refreshesADay * keysInUse + keys / 2,
    GetPublicKey: rotationsADay,
    ListAliases: aliasPages,
    ListKeys: Math.ceil(keys / keysPerPage) / 2,
    ScheduleKeyDeletion: rotationsADay,
    UpdateAlias: refreshesADay * keysInUse + rotationsADay,
  };
}
