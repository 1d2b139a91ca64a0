/** GetKeyLastUsage: which uses of a key are tracked, and since when. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  DescribeKeyCommand,
  DisableKeyCommand,
  GetKeyLastUsageCommand,
  GetPublicKeyCommand,
  type KMSClient,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  VerifyCommand,
} from "@aws-sdk/client-kms";
import { type EmulatorControl, manualClock } from "../../../src/kms-emulator/index.ts";
import { createTestEngine, startTestEmulator } from "../../fixtures/test-emulator.ts";
import { account, anyCredentials, present, rejectsWith, startFixture } from "../fixture.ts";
import { createAlias, createKey, replicaRegion, transitionMs } from "../key-fixture.ts";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const dayMs = 24 * 60 * 60 * 1000;
const algorithm = { MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256" } as const;
const digest = { Message: new Uint8Array(32), ...algorithm };

const sign = (kms: KMSClient, KeyId: string) => kms.send(new SignCommand({ KeyId, ...digest }));

async function lastUsage(kms: KMSClient, KeyId: string) {
  const { $metadata: _, ...answer } = await kms.send(new GetKeyLastUsageCommand({ KeyId }));
  return answer;
}

/** The operation of the last use, if there was one; an empty answer has no other member either. */
async function lastOperation(kms: KMSClient, KeyId: string): Promise<string | undefined> {
  const usage = present((await lastUsage(kms, KeyId)).KeyLastUsage);
  if (usage.Operation === undefined) assert.deepEqual(usage, {});
  return usage.Operation;
}

/** A key of a fixture whose clock has moved on since tracking began. */
async function startWithKey(t: Parameters<typeof startFixture>[0]) {
  const fixture = await startFixture(t);
  fixture.emulator.control.advance(dayMs);
  return { ...fixture, key: await createKey(fixture.kms) };
}

/** docs/aws-kms-behaviour.md, "Last usage". */
describe("GetKeyLastUsage", () => {
  it("of a key that was not used has an empty KeyLastUsage; tracking began with the key", async (t) => {
    const { kms, key } = await startWithKey(t);
    const { CreationDate } = key;
    const answer = {
      KeyId: key.KeyId,
      KeyLastUsage: {},
      TrackingStartDate: CreationDate,
      KeyCreationDate: CreationDate,
    };
    assert.deepEqual(await lastUsage(kms, key.KeyId), answer);
    assert.deepEqual(await lastUsage(kms, key.Arn), answer);
  });

  it("tells the last of Sign and Verify, with the moment, the request and an event that stays the same", async (t) => {
    const { kms, key, emulator } = await startWithKey(t);
    const { KeyId } = key;
    await sign(kms, KeyId);
    emulator.control.advance(1_234);
    const signedAt = emulator.control.now();
    const signed = await sign(kms, KeyId);
    emulator.control.advance(dayMs);
    const first = present((await lastUsage(kms, KeyId)).KeyLastUsage);
    assert.match(present(first.CloudTrailEventId), uuid);
    assert.deepEqual(first, {
      Operation: "Sign",
      Timestamp: signedAt,
      CloudTrailEventId: first.CloudTrailEventId,
      KmsRequestId: signed.$metadata.requestId,
    });
    assert.deepEqual((await lastUsage(kms, KeyId)).KeyLastUsage, first);

    const verified = await kms.send(new VerifyCommand({ KeyId, ...digest, Signature: signed.Signature }));
    const second = present((await lastUsage(kms, KeyId)).KeyLastUsage);
    assert.deepEqual([second.Operation, second.Timestamp], ["Verify", emulator.control.now()]);
    assert.equal(second.KmsRequestId, verified.$metadata.requestId);
    assert.notEqual(second.CloudTrailEventId, first.CloudTrailEventId);
  });

  it("counts no failure, no DryRun, no GetPublicKey and no reading", async (t) => {
    const { kms, key, emulator } = await startWithKey(t);
    const { KeyId } = key;
    await kms.send(new GetPublicKeyCommand({ KeyId }));
    await kms.send(new DescribeKeyCommand({ KeyId }));
    await rejectsWith(kms.send(new SignCommand({ KeyId, ...digest, DryRun: true })), "DryRunOperationException");
    const wrong = { ...digest, SigningAlgorithm: "ECDSA_SHA_384" } as const;
    await rejectsWith(kms.send(new SignCommand({ KeyId, ...wrong })), "InvalidKeyUsageException");
    const badSignature = new VerifyCommand({ KeyId, ...digest, Signature: new Uint8Array(64) });
    await rejectsWith(kms.send(badSignature), "KMSInvalidSignatureException");
    emulator.control.addFault({ operation: "Sign", kind: "error", name: "KMSInternalException", times: 1 });
    await rejectsWith(sign(kms, KeyId), "KMSInternalException");
    await kms.send(new DisableKeyCommand({ KeyId }));
    await rejectsWith(sign(kms, KeyId), "DisabledException");
    assert.equal(await lastOperation(kms, KeyId), undefined);
  });

  it("keeps the last use when a DryRun of Verify or a failed Sign follows", async (t) => {
    const { kms, key, emulator } = await startWithKey(t);
    const { KeyId } = key;
    const { Signature } = await sign(kms, KeyId);
    const before = await lastUsage(kms, KeyId);
    emulator.control.advance(1_000);
    const dryRun = new VerifyCommand({ KeyId, ...digest, Signature, DryRun: true });
    await rejectsWith(kms.send(dryRun), "DryRunOperationException");
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
    await rejectsWith(sign(kms, KeyId), "KMSInvalidStateException");
    assert.deepEqual(await lastUsage(kms, KeyId), before);
  });

  it("counts a signature whose reply was lost", async (t) => {
    const { kms, key, emulator } = await startWithKey(t);
    emulator.control.addFault({ operation: "Sign", kind: "lost-reply", times: 1 });
    await assert.rejects(sign(kms, key.KeyId));
    assert.equal(await lastOperation(kms, key.KeyId), "Sign");
  });

  it("counts uses by alias and by another account, for the key's owner", async (t) => {
    const { kms, key, kmsFor } = await startWithKey(t);
    await createAlias(kms, "alias/a", key);
    await sign(kms, "alias/a");
    const byAlias = present((await lastUsage(kms, key.KeyId)).KeyLastUsage);
    assert.equal(byAlias.Operation, "Sign");
    const stranger = kmsFor({ accessKeyId: "444455556666", secretAccessKey: "s" });
    const signed = await sign(stranger, key.Arn);
    const byStranger = present((await lastUsage(kms, key.KeyId)).KeyLastUsage);
    assert.equal(byStranger.KmsRequestId, signed.$metadata.requestId);
  });

  it("takes no alias and no key of another account; names a key that does not exist", async (t) => {
    const { kms, key, kmsFor } = await startWithKey(t);
    await createAlias(kms, "alias/a", key);
    const aliasArn = key.Arn.replace(/key\/.*/, "alias/a");
    await rejectsWith(lastUsage(kms, "alias/a"), "NotFoundException", "Invalid keyId 'alias/a'");
    await rejectsWith(
      lastUsage(kms, aliasArn),
      "InvalidArnException",
      "Key Aliases are not supported for this operation.",
    );
    const stranger = kmsFor({ accessKeyId: "444455556666", secretAccessKey: "s" });
    await rejectsWith(
      lastUsage(stranger, key.Arn),
      "AccessDeniedException",
      /perform: kms:GetKeyLastUsage on resource/,
    );
    const absent = "1234abcd-12ab-34cd-56ef-1234567890ab";
    await rejectsWith(lastUsage(kms, absent), "NotFoundException", /key\/1234abcd.* does not exist/);
    await rejectsWith(lastUsage(kms, ""), "ValidationException", /length greater than or equal to 1/);
  });

  it("needs kms:GetKeyLastUsage", async (t) => {
    const clientWith = async (...actions: string[]): Promise<KMSClient> => {
      const statement = { Effect: "Allow", Action: actions, Resource: "*" };
      const arn = `arn:aws:iam::${account}:user/u`;
      const identity = { ...anyCredentials, arn, policies: [{ Version: "2012-10-17", Statement: [statement] }] };
      return (await startFixture(t, { authorize: true, identities: [identity] })).kms;
    };
    const rights = ["kms:CreateKey", "kms:PutKeyPolicy", "kms:Sign", "kms:DescribeKey"];
    const refused = await clientWith(...rights);
    const { KeyId } = await createKey(refused);
    await rejectsWith(lastUsage(refused, KeyId), "AccessDeniedException", /perform: kms:GetKeyLastUsage on resource/);
    const allowed = await clientWith(...rights, "kms:GetKeyLastUsage");
    assert.equal(await lastOperation(allowed, (await createKey(allowed)).KeyId), undefined);
  });
});

describe("the tracking of uses", () => {
  it("is each replica's own, and ends with the replica", async (t) => {
    const fixture = await startFixture(t);
    const { kms, emulator } = fixture;
    const { KeyId } = await createKey(kms, { MultiRegion: true });
    const remote = fixture.kmsFor(anyCredentials, replicaRegion);
    const replicate = async () => {
      await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: replicaRegion }));
      emulator.control.advance(transitionMs);
    };
    await replicate();
    await sign(remote, KeyId);
    assert.deepEqual([await lastOperation(kms, KeyId), await lastOperation(remote, KeyId)], [undefined, "Sign"]);
    await remote.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    assert.equal(await lastOperation(remote, KeyId), "Sign");
    emulator.control.advance(7 * dayMs);
    await rejectsWith(lastUsage(remote, KeyId), "NotFoundException");
    await replicate();
    assert.equal(await lastOperation(remote, KeyId), undefined);
  });

  it("begins anew when the emulator restarts, at a time that was not yet tracked", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "kms-emulator-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const dataFile = join(folder, "state.log");
    const former = await startTestEmulator({ dataFile, clock: manualClock() });
    former.control.advance(dayMs);
    const { KeyMetadata } = (await former.control.call("CreateKey", {
      KeySpec: "ECC_NIST_P256",
      KeyUsage: "SIGN_VERIFY",
    })) as { KeyMetadata: { KeyId: string; CreationDate: Date } };
    const { KeyId, CreationDate } = KeyMetadata;
    former.control.advance(dayMs);
    await former.control.call("Sign", { KeyId, ...digest });
    const signedAt = former.control.now();
    await former.close();

    const { kms, emulator } = await startFixture(t, { dataFile });
    assert.deepEqual(await lastUsage(kms, KeyId), {
      KeyId,
      KeyLastUsage: {},
      TrackingStartDate: emulator.control.now(),
      KeyCreationDate: CreationDate,
    });
    assert.ok(emulator.control.now() >= signedAt);
  });

  it("begins anew with a state that is loaded", async () => {
    const { control } = createTestEngine({ clock: manualClock() });
    const KeyId = await createInProcess(control);
    await control.call("Sign", { KeyId, ...digest });
    const state = control.dump();
    control.advance(dayMs);
    control.load(state);
    const answer = (await control.call("GetKeyLastUsage", { KeyId })) as Answer;
    assert.deepEqual([answer.KeyLastUsage, answer.TrackingStartDate], [{}, control.now()]);
  });

  it("works in process, and the calls are in the journal", async () => {
    const { control } = createTestEngine({ clock: manualClock() });
    const KeyId = await createInProcess(control);
    control.advance(90 * dayMs);
    await control.call("Sign", { KeyId, ...digest });
    const answer = (await control.call("GetKeyLastUsage", { KeyId })) as Answer;
    const usage = answer.KeyLastUsage;
    assert.deepEqual([usage.Operation, usage.Timestamp], ["Sign", control.now()]);
    assert.match(present(usage.KmsRequestId), uuid);
    const last = control.journal().at(-1);
    assert.deepEqual([last?.operation, last?.outcome, last?.output], ["GetKeyLastUsage", "ok", answer]);
  });
});

interface Answer {
  readonly KeyLastUsage: { readonly Operation?: string; readonly Timestamp?: Date; readonly KmsRequestId?: string };
  readonly TrackingStartDate: Date;
}

async function createInProcess(control: EmulatorControl): Promise<string> {
  const input = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
  const { KeyMetadata } = (await control.callByName("CreateKey", input)) as { KeyMetadata: { KeyId: string } };
  return KeyMetadata.KeyId;
}
