/** Every operation of KMS, asked by callers who have no permission and by callers who have just the one that it needs. */
import assert from "node:assert/strict";
import {
  AwsException,
  type CallOptions,
  type EmulatorControl,
  type EngineOptions,
  type IdentityConfig,
  manualClock,
} from "../../../src/kms-emulator/index.ts";
import { createTestEngine } from "../../fixtures/test-emulator.ts";
import { callOf } from "../call.ts";
import { operationNames } from "../service-model/probes.ts";
import { everyOperation } from "../service-model/scenario.ts";

/** Operations whose permissions are not the one of their name. */
const severalPermissions: Readonly<Record<string, readonly string[]>> = {
  CreateKey: ["CreateKey", "TagResource"],
  ReEncrypt: ["ReEncryptFrom", "ReEncryptTo"],
  ReplicateKey: ["ReplicateKey", "CreateKey", "TagResource"],
};

const permissionsOf = (operation: string): string[] =>
  (severalPermissions[operation] ?? [operation]).map((name) => `kms:${name}`);

const user = (name: string, Action: readonly string[]): IdentityConfig => ({
  accessKeyId: name,
  arn: `arn:aws:iam::111122223333:user/${name}`,
  policies: [JSON.stringify({ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action, Resource: "*" }] })],
});

const options: EngineOptions = {
  authorize: true,
  roles: [{ arn: "arn:aws:iam::111122223333:role/app" }],
  identities: [user("none", ["s3:*"]), ...operationNames.map((name) => user(name, permissionsOf(name)))],
};

type Call = (operation: string, input: unknown, options?: CallOptions) => Promise<unknown>;

const as = (accessKeyId: string, rest: CallOptions = {}): CallOptions => ({ ...rest, identity: { accessKeyId } });

async function isRefused(sent: Promise<unknown>): Promise<void> {
  const error = await sent.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof AwsException, "a caller without permission is refused");
  assert.equal(error.code, "AccessDeniedException", error.message);
}

/** How often each operation was refused to one caller and done for the other. Each call of the scenario is made by both. */
export async function askedByBoth(): Promise<ReadonlyMap<string, number>> {
  const { control } = createTestEngine({ clock: manualClock(), ...options });
  const counts = new Map<string, number>();
  const call: Call = async (operation, input, rest) => {
    await isRefused(control.callByName(operation, input, as("none", rest)));
    const output = await control.callByName(operation, input, as(operation, rest));
    counts.set(operation, (counts.get(operation) ?? 0) + 1);
    return output;
  };
  const both: EmulatorControl = { ...control, call: call as never, callByName: call };
  await everyOperation(callOf(both), both);
  return counts;
}
