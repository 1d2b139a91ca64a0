/** GetCallerIdentity: who the caller is. */
import { operation } from "../framework/operation.ts";
import { structure } from "../framework/validation.ts";

/** Needs no permission: it answers even under an explicit deny. */
export const getCallerIdentity = operation({
  service: "sts",
  name: "GetCallerIdentity",
  input: structure({}),
  run: ({ caller }) => ({ UserId: caller.userId, Account: caller.account, Arn: caller.arn }),
});
