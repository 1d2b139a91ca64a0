/** The table of key states, cell by cell. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  GetKeyLastUsageCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  type KMSClient,
  ListAliasesCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
  VerifyCommand,
} from "@aws-sdk/client-kms";
import { type StateCheckedOperation, stateTable } from "../../../src/kms-emulator/operations/key-state.ts";
import type { KeyState } from "../../../src/kms-emulator/state/records.ts";
import { account, rejectsWith, startFixture } from "../fixture.ts";
import { createAlias, createKey, type Key, keyInState } from "../key-fixture.ts";
import { columns, reasonOf, table } from "./key-state-table.ts";

const policy = JSON.stringify({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Principal: { AWS: `arn:aws:iam::${account}:root` }, Action: "kms:*", Resource: "*" }],
});

const message = new Uint8Array(32);
const algorithm = { MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256" } as const;

const calls = {
  Sign: (kms, { KeyId }) => kms.send(new SignCommand({ KeyId, Message: message, ...algorithm })),
  // A wrong signature: what counts is whether the state let the call through to it.
  Verify: (kms, { KeyId }) =>
    kms.send(new VerifyCommand({ KeyId, Message: message, Signature: message, ...algorithm })).catch((error: Error) => {
      if (error.name !== "KMSInvalidSignatureException") throw error;
    }),
  GetPublicKey: (kms, { KeyId }) => kms.send(new GetPublicKeyCommand({ KeyId })),
  DescribeKey: (kms, { KeyId }) => kms.send(new DescribeKeyCommand({ KeyId })),
  ListAliases: (kms, { KeyId }) => kms.send(new ListAliasesCommand({ KeyId })),
  GetKeyLastUsage: (kms, { KeyId }) => kms.send(new GetKeyLastUsageCommand({ KeyId })),
  GetKeyPolicy: (kms, { KeyId }) => kms.send(new GetKeyPolicyCommand({ KeyId })),
  ListResourceTags: (kms, { KeyId }) => kms.send(new ListResourceTagsCommand({ KeyId })),
  PutKeyPolicy: (kms, { KeyId }) => kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policy })),
  CreateAlias: (kms, { KeyId }) => kms.send(new CreateAliasCommand({ AliasName: "alias/n", TargetKeyId: KeyId })),
  TagResource: (kms, { KeyId }) => kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: "a", TagValue: "" }] })),
  UntagResource: (kms, { KeyId }) => kms.send(new UntagResourceCommand({ KeyId, TagKeys: ["a"] })),
  UpdateKeyDescription: (kms, { KeyId }) => kms.send(new UpdateKeyDescriptionCommand({ KeyId, Description: "d" })),
  EnableKey: (kms, { KeyId }) => kms.send(new EnableKeyCommand({ KeyId })),
  DisableKey: (kms, { KeyId }) => kms.send(new DisableKeyCommand({ KeyId })),
  ScheduleKeyDeletion: (kms, { KeyId }) => kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
  CancelKeyDeletion: (kms, { KeyId }) => kms.send(new CancelKeyDeletionCommand({ KeyId })),
} satisfies Partial<Record<StateCheckedOperation, (kms: KMSClient, key: Key) => Promise<unknown>>>;

/** Those that an SDK client asks of a signing key here; the others are in key-states-of-other-keys.test.ts. */
type SimpleOperation = keyof typeof calls;

/** What a cell's letter means on the wire. */
async function expectCell(cell: string, state: KeyState, key: Key, sent: Promise<unknown>): Promise<void> {
  if (cell === "ok") await sent;
  else if (cell === "D") await rejectsWith(sent, "DisabledException", `${key.Arn} is disabled.`);
  else await rejectsWith(sent, "KMSInvalidStateException", `${key.Arn} is ${reasonOf(cell, state)}.`);
}

describe("the state table", () => {
  it("of the emulator has the operations written down here", () => {
    assert.deepEqual(Object.keys(stateTable).sort(), Object.keys(table).sort());
  });

  for (const [state, column] of columns) {
    for (const operation of Object.keys(calls) as SimpleOperation[]) {
      const cell = table[operation][column] ?? "";
      it(`${operation} of a key that is ${state}: ${cell}`, async (t) => {
        const { key, home } = await keyInState(await startFixture(t), state);
        await expectCell(cell, state, key, calls[operation](home, key));
      });
    }
  }

  for (const [state, column] of columns.slice(0, 3)) {
    it(`UpdateAlias to a key that is ${state}: ${table.UpdateAlias[column]}; DeleteAlias: ok`, async (t) => {
      const fixture = await startFixture(t);
      const { kms } = fixture;
      await createAlias(kms, "alias/a", await createKey(kms));
      const { key } = await keyInState(fixture, state);
      const sent = kms.send(new UpdateAliasCommand({ AliasName: "alias/a", TargetKeyId: key.KeyId }));
      await expectCell(table.UpdateAlias[column] ?? "", state, key, sent);
      await kms.send(new DeleteAliasCommand({ AliasName: "alias/a" }));
    });
  }
});
