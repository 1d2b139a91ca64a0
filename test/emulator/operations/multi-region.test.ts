/** Multi-Region keys: replicas, the primary, their deletion. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  CancelKeyDeletionCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  ListAliasesCommand,
  ListResourceTagsCommand,
  ReplicateKeyCommand,
  type ReplicateKeyCommandInput,
  ScheduleKeyDeletionCommand,
  SignCommand,
  UpdatePrimaryRegionCommand,
  VerifyCommand,
} from "@aws-sdk/client-kms";
import { account, anyCredentials, present, region, rejectsWith, startFixture } from "../fixture.ts";
import { createAlias, createKey, replicaRegion, transitionMs } from "../key-fixture.ts";

const dayMs = 24 * 60 * 60 * 1000;
const thirdRegion = "ap-south-1";

const withPrimary = async (t: TestContext) => {
  const fixture = await startFixture(t);
  const { kms, emulator } = fixture;
  const key = await createKey(kms, { MultiRegion: true, Description: "d", Tags: [{ TagKey: "a", TagValue: "b" }] });
  const { KeyId } = key;
  const in_ = (where: string) => fixture.kmsFor(anyCredentials, where);
  const remote = in_(replicaRegion);
  const metadata = async (client = kms) => present((await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata);
  const replicate = (input: Partial<ReplicateKeyCommandInput> = {}) =>
    kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: replicaRegion, ...input }));
  const settle = () => emulator.control.advance(transitionMs);
  return { ...fixture, key, KeyId, in: in_, remote, metadata, replicate, settle };
};

const arnIn = (where: string, KeyId: string) => `arn:aws:kms:${where}:${account}:key/${KeyId}`;

/** docs/aws-kms-behaviour.md, "Multi-Region keys". */
describe("a multi-Region key", () => {
  it("has an mrk- id and is the primary of a set without replicas", async (t) => {
    const { key, KeyId } = await withPrimary(t);
    assert.match(KeyId, /^mrk-[0-9a-f]{32}$/);
    assert.deepEqual(key.MultiRegionConfiguration, {
      MultiRegionKeyType: "PRIMARY",
      PrimaryKey: { Arn: key.Arn, Region: region },
      ReplicaKeys: [],
    });
  });

  it("replicates into Creating and becomes Enabled; both members see the same set", async (t) => {
    const { KeyId, remote, metadata, replicate, settle } = await withPrimary(t);
    const reply = await replicate();
    const made = present(reply.ReplicaKeyMetadata);
    assert.deepEqual([made.KeyId, made.Arn], [KeyId, arnIn(replicaRegion, KeyId)]);
    assert.deepEqual([made.KeyState, made.Enabled, made.Description], ["Creating", false, ""]);
    // Recorded: neither of the two is there yet.
    assert.deepEqual([reply.ReplicaTags, made.CurrentKeyMaterialId], [undefined, undefined]);
    settle();
    const [here, there] = [await metadata(), await metadata(remote)];
    assert.deepEqual([there.KeyState, there.Enabled], ["Enabled", true]);
    const set = {
      PrimaryKey: { Arn: arnIn(region, KeyId), Region: region },
      ReplicaKeys: [{ Arn: arnIn(replicaRegion, KeyId), Region: replicaRegion }],
    };
    assert.deepEqual(here.MultiRegionConfiguration, { MultiRegionKeyType: "PRIMARY", ...set });
    assert.deepEqual(there.MultiRegionConfiguration, { MultiRegionKeyType: "REPLICA", ...set });
  });

  it("shares its material, and neither description, tags, policy nor aliases", async (t) => {
    const { kms, key, KeyId, remote, replicate, settle } = await withPrimary(t);
    await createAlias(kms, "alias/here", key);
    await replicate();
    settle();
    const [here, there] = [
      await kms.send(new GetPublicKeyCommand({ KeyId })),
      await remote.send(new GetPublicKeyCommand({ KeyId })),
    ];
    assert.deepEqual(here.PublicKey, there.PublicKey);
    assert.equal(there.KeyId, arnIn(replicaRegion, KeyId));
    const input = { KeyId, Message: new Uint8Array(3), SigningAlgorithm: "ECDSA_SHA_256" } as const;
    const { Signature } = await kms.send(new SignCommand(input));
    assert.equal((await remote.send(new VerifyCommand({ ...input, Signature }))).SignatureValid, true);
    assert.deepEqual((await remote.send(new ListResourceTagsCommand({ KeyId }))).Tags, []);
    assert.deepEqual((await remote.send(new ListAliasesCommand({ KeyId }))).Aliases, []);
    assert.match(present((await remote.send(new GetKeyPolicyCommand({ KeyId }))).Policy), /key-default-1/);
  });

  it("replicates with the description, tags and policy it is given", async (t) => {
    const { KeyId, remote, replicate } = await withPrimary(t);
    const Tags = [{ TagKey: "x", TagValue: "y" }];
    const Policy = JSON.stringify({
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Principal: { AWS: account }, Action: "kms:*", Resource: "*" },
    });
    const reply = await replicate({ Description: "there", Tags, Policy });
    assert.equal(reply.ReplicaKeyMetadata?.Description, "there");
    assert.deepEqual(reply.ReplicaTags, Tags);
    assert.deepEqual(JSON.parse(present(reply.ReplicaPolicy)), JSON.parse(Policy));
    assert.deepEqual((await remote.send(new ListResourceTagsCommand({ KeyId }))).Tags, Tags);
  });

  it("does not replicate twice into a Region, nor from a replica, nor if it is single-Region", async (t) => {
    const { kms, KeyId, remote, replicate, settle } = await withPrimary(t);
    await replicate();
    await rejectsWith(replicate(), "AlreadyExistsException");
    await rejectsWith(replicate({ ReplicaRegion: region }), "AlreadyExistsException");
    settle();
    await remote.send(new ScheduleKeyDeletionCommand({ KeyId }));
    await rejectsWith(replicate(), "AlreadyExistsException");
    await rejectsWith(
      remote.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: thirdRegion })),
      "UnsupportedOperationException",
      `${arnIn(replicaRegion, KeyId)} is not a multi-region primary key.`,
    );
    const single = await createKey(kms);
    await rejectsWith(
      kms.send(new ReplicateKeyCommand({ KeyId: single.KeyId, ReplicaRegion: thirdRegion })),
      "UnsupportedOperationException",
      `${single.Arn} is not a multi-region primary key.`,
    );
    await rejectsWith(replicate({ ReplicaRegion: "cn-north-1" }), "ValidationException");
    await rejectsWith(replicate({ ReplicaRegion: "nowhere" }), "ValidationException", /at 'replicaRegion' failed/);
  });

  it("that is disabled or pending deletion does not replicate", async (t) => {
    const { kms, KeyId, key, replicate } = await withPrimary(t);
    await kms.send(new DisableKeyCommand({ KeyId }));
    await rejectsWith(replicate(), "DisabledException", `${key.Arn} is disabled.`);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
    await rejectsWith(replicate(), "KMSInvalidStateException", `${key.Arn} is pending deletion.`);
  });
});

describe("UpdatePrimaryRegion", () => {
  it("swaps primary and replica, both Updating and able to sign meanwhile", async (t) => {
    const { kms, KeyId, remote, metadata, replicate, settle, in: in_ } = await withPrimary(t);
    await replicate();
    await replicate({ ReplicaRegion: thirdRegion });
    settle();
    await kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: replicaRegion }));
    for (const client of [kms, remote]) {
      const { KeyState, Enabled } = await metadata(client);
      assert.deepEqual([KeyState, Enabled], ["Updating", false]);
      await client.send(new SignCommand({ KeyId, Message: new Uint8Array(1), SigningAlgorithm: "ECDSA_SHA_256" }));
    }
    await rejectsWith(
      remote.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: "us-west-2" })),
      "KMSInvalidStateException",
      `${arnIn(replicaRegion, KeyId)} is updating.`,
    );
    settle();
    const set = {
      PrimaryKey: { Arn: arnIn(replicaRegion, KeyId), Region: replicaRegion },
      ReplicaKeys: [thirdRegion, region].map((Region) => ({ Arn: arnIn(Region, KeyId), Region })),
    };
    assert.deepEqual((await metadata(remote)).MultiRegionConfiguration, { MultiRegionKeyType: "PRIMARY", ...set });
    for (const client of [kms, in_(thirdRegion)]) {
      assert.deepEqual((await metadata(client)).MultiRegionConfiguration, { MultiRegionKeyType: "REPLICA", ...set });
    }
    assert.equal((await metadata()).KeyState, "Enabled");
    await remote.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: "us-west-2" }));
  });

  it("needs a replica that is Enabled, and the primary", async (t) => {
    const { kms, KeyId, remote, replicate, settle } = await withPrimary(t);
    const update = (client = kms, PrimaryRegion = replicaRegion) =>
      client.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion }));
    await rejectsWith(update(), "NotFoundException"); // [I]
    await rejectsWith(update(kms, region), "UnsupportedOperationException"); // [I]
    await replicate();
    await rejectsWith(update(), "KMSInvalidStateException", `${arnIn(replicaRegion, KeyId)} is creating.`);
    settle();
    await remote.send(new DisableKeyCommand({ KeyId }));
    await rejectsWith(update(), "DisabledException", `${arnIn(replicaRegion, KeyId)} is disabled.`);
    await rejectsWith(update(remote, region), "UnsupportedOperationException", /is not a multi-region primary key\.$/);
  });
});

describe("deletion of a multi-Region key", () => {
  it("with replicas waits for them, then for its own window", async (t) => {
    const { kms, KeyId, emulator, remote, metadata, replicate, settle } = await withPrimary(t);
    await replicate();
    settle();
    const { $metadata: _, ...reply } = await kms.send(
      new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 8 }),
    );
    const Arn = arnIn(region, KeyId);
    assert.deepEqual(reply, { KeyId: Arn, KeyState: "PendingReplicaDeletion", PendingWindowInDays: 8 });
    const waiting = await metadata();
    assert.deepEqual([waiting.DeletionDate, waiting.PendingDeletionWindowInDays], [undefined, 8]);
    emulator.control.advance(100 * dayMs);
    await remote.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    emulator.control.advance(7 * dayMs);
    await rejectsWith(metadata(remote), "NotFoundException");
    const pending = await metadata();
    const due = new Date(emulator.control.now().getTime() + 8 * dayMs);
    assert.deepEqual([pending.KeyState, pending.DeletionDate], ["PendingDeletion", due]);
    assert.deepEqual(pending.MultiRegionConfiguration?.ReplicaKeys, []);
    emulator.control.advance(8 * dayMs);
    await rejectsWith(metadata(), "NotFoundException");
  });

  it("can be cancelled while it waits", async (t) => {
    const { kms, KeyId, metadata, replicate, settle } = await withPrimary(t);
    await replicate();
    settle();
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId }));
    await kms.send(new CancelKeyDeletionCommand({ KeyId }));
    assert.equal((await metadata()).KeyState, "Disabled");
  });

  it("happens in one leap of the clock, in order", async (t) => {
    const { kms, KeyId, emulator, remote, metadata, replicate, settle } = await withPrimary(t);
    await replicate();
    settle();
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    await remote.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
    emulator.control.advance(365 * dayMs);
    await rejectsWith(metadata(), "NotFoundException");
    await rejectsWith(metadata(remote), "NotFoundException");
  });
});
