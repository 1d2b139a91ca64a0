/** UpdatePrimaryRegion: makes a replica the primary of its set. */
import { AwsException, notFound } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { keyArn } from "../../identifiers.ts";
import { arnOf } from "../../state/records.ts";
import { requireCustomerKey } from "../key-reference.ts";
import { requireState } from "../key-state.ts";
import { requirePrimary } from "./replicate-key.ts";

export const updatePrimaryRegion = kmsOperation({
  name: "UpdatePrimaryRegion",
  run(context, input) {
    const region = input.PrimaryRegion;
    const action = "kms:UpdatePrimaryRegion";
    const key = requireCustomerKey(context, input.KeyId, { action, conditions: { "kms:PrimaryRegion": region } });
    const set = requirePrimary(context, key);
    requireState("UpdatePrimaryRegion", key);
    if (region === set.primaryRegion) {
      throw new AwsException("UnsupportedOperationException", `${arnOf(key)} is already the primary key.`); // [I]
    }
    const resource = keyArn(key.account, region, key.keyId);
    const replica = context.viewOf(key.account, region).currentKey(key.keyId);
    if (!replica) throw notFound(`Key '${resource}' does not exist`); // [I]
    context.access.require(context.caller, region, { action, resource, key: replica });
    requireState("UpdatePrimaryRegion", replica);
    const dueAtMs = context.clock() + context.transitionMs;
    const replicaRegions = [...set.replicaRegions.filter((name) => name !== region), set.primaryRegion];
    context.commit(
      { kind: "put-set", set: { ...set, primaryRegion: region, replicaRegions } },
      { kind: "put-key", key: { ...key, state: "Updating", dueAtMs } },
      { kind: "put-key", key: { ...replica, state: "Updating", dueAtMs } },
    );
    return undefined;
  },
});
