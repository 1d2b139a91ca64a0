/** Rotation: by itself on its day, on demand at once, of all members of a multi-Region set. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bytes, makeKey, present, refuses, startCalls, textOf } from "../call.ts";

const dayMs = 86_400_000;

describe("automatic rotation", () => {
  it("changes the material on its day and keeps the old one readable", async () => {
    const { call, control } = startCalls();
    const { KeyId, Arn } = await makeKey(call);
    const current = async () => (await call("DescribeKey", { KeyId })).KeyMetadata?.CurrentKeyMaterialId;
    const first = await current();
    await call("EnableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
    const { CiphertextBlob } = await call("Encrypt", { KeyId, Plaintext: bytes("old") });
    const NextRotationDate = new Date(control.now().getTime() + 90 * dayMs);
    const status = { KeyId: Arn, KeyRotationEnabled: true, RotationPeriodInDays: 90, NextRotationDate };
    assert.deepEqual(await call("GetKeyRotationStatus", { KeyId }), status);
    control.advance(90 * dayMs - 1);
    assert.equal(await current(), first);
    control.advance(1);
    assert.notEqual(await current(), first);
    const opened = await call("Decrypt", { CiphertextBlob });
    assert.deepEqual([textOf(opened.Plaintext), opened.KeyMaterialId], ["old", first]);
    const { Rotations } = await call("ListKeyRotations", { KeyId });
    assert.deepEqual(Rotations, [
      {
        KeyId: Arn,
        KeyMaterialId: await current(),
        KeyMaterialState: "CURRENT",
        RotationDate: NextRotationDate,
        RotationType: "AUTOMATIC",
      },
    ]);
    control.advance(3 * 90 * dayMs);
    assert.equal((await call("ListKeyRotations", { KeyId })).Rotations?.length, 4);
    const all = await call("ListKeyRotations", { KeyId, IncludeKeyMaterial: "ALL_KEY_MATERIAL" });
    assert.deepEqual([all.Rotations?.length, all.Rotations?.[0]?.KeyMaterialId], [5, first]);
  });

  it("waits for a disabled key to be enabled, and stops when it is switched off", async () => {
    const { call, control } = startCalls();
    const { KeyId } = await makeKey(call);
    const count = async () => (await call("ListKeyRotations", { KeyId })).Rotations?.length;
    await call("EnableKeyRotation", { KeyId });
    await call("DisableKey", { KeyId });
    assert.equal((await call("GetKeyRotationStatus", { KeyId })).KeyRotationEnabled, true);
    control.advance(400 * dayMs);
    assert.equal(await count(), 0);
    await call("EnableKey", { KeyId });
    assert.equal(await count(), 1);
    control.advance(365 * dayMs);
    assert.equal(await count(), 2);
    await call("DisableKeyRotation", { KeyId });
    control.advance(800 * dayMs);
    assert.equal(await count(), 2);
    await call("EnableKeyRotation", { KeyId });
    await call("ScheduleKeyDeletion", { KeyId });
    assert.equal((await call("GetKeyRotationStatus", { KeyId })).KeyRotationEnabled, false);
  });

  it("is refused for keys that never rotate, with AWS's texts", async () => {
    const { call } = startCalls();
    const hmac = await makeKey(call, { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
    const signing = await makeKey(call, { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
    const external = await makeKey(call, { Origin: "EXTERNAL" });
    for (const { KeyId } of [hmac, signing]) {
      for (const operation of [
        "EnableKeyRotation",
        "DisableKeyRotation",
        "GetKeyRotationStatus",
        "RotateKeyOnDemand",
      ] as const) {
        await refuses(call(operation, { KeyId }), "UnsupportedOperationException", "");
      }
      await refuses(call("ListKeyRotations", { KeyId }), "UnsupportedOperationException");
    }
    const text = `${external.Arn} origin is EXTERNAL which is not valid for this operation.`;
    for (const operation of ["EnableKeyRotation", "DisableKeyRotation", "GetKeyRotationStatus"] as const) {
      await refuses(call(operation, { KeyId: external.KeyId }), "UnsupportedOperationException", text);
    }
  });

  it("is yearly for AWS's own keys", async () => {
    const { call } = startCalls();
    const { KeyMetadata } = await call("DescribeKey", { KeyId: "alias/aws/s3" });
    const status = await call("GetKeyRotationStatus", { KeyId: present(KeyMetadata).KeyId });
    assert.deepEqual([status.KeyRotationEnabled, status.RotationPeriodInDays], [true, 365]);
  });
});

describe("rotation on demand", () => {
  it("is done at once, pages, leaves the schedule alone and ends after 25 times", async () => {
    const { call, control } = startCalls();
    const { KeyId, Arn } = await makeKey(call);
    await call("EnableKeyRotation", { KeyId });
    const { NextRotationDate } = await call("GetKeyRotationStatus", { KeyId });
    for (let round = 0; round < 25; round += 1) {
      control.advance(1_000);
      assert.deepEqual(await call("RotateKeyOnDemand", { KeyId }), { KeyId: Arn });
    }
    await refuses(
      call("RotateKeyOnDemand", { KeyId }),
      "LimitExceededException",
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${Arn}`,
    );
    assert.deepEqual((await call("GetKeyRotationStatus", { KeyId })).NextRotationDate, NextRotationDate);
    const ids: unknown[] = [];
    for (let Marker: string | undefined; ; ) {
      const page = await call("ListKeyRotations", { KeyId, Limit: 7, Marker });
      ids.push(...present(page.Rotations).map(({ KeyMaterialId }) => KeyMaterialId));
      Marker = page.NextMarker;
      if (Marker === undefined) break;
    }
    assert.equal(new Set(ids).size, 25);
  });

  it("of a primary rotates its replicas, and is not for a replica", async () => {
    const { call, control } = startCalls();
    const there = { region: "eu-west-1" };
    const { KeyId, Arn } = await makeKey(call, { MultiRegion: true });
    await call("EnableKeyRotation", { KeyId, RotationPeriodInDays: 100 });
    await call("ReplicateKey", { KeyId, ReplicaRegion: there.region });
    control.advance(2_000);
    const ids = async () =>
      Promise.all(
        [{}, there].map(
          async (where) => (await call("DescribeKey", { KeyId }, where)).KeyMetadata?.CurrentKeyMaterialId,
        ),
      );
    await call("RotateKeyOnDemand", { KeyId });
    const [here, remote] = await ids();
    assert.equal(here, remote);
    assert.equal((await call("GetKeyRotationStatus", { KeyId }, there)).RotationPeriodInDays, 100);
    const text = `${Arn.replace("us-east-1", there.region)} is not a multi-region primary key.`;
    for (const operation of ["RotateKeyOnDemand", "EnableKeyRotation", "DisableKeyRotation"] as const) {
      await refuses(call(operation, { KeyId }, there), "UnsupportedOperationException", text);
    }
    await call("UpdatePrimaryRegion", { KeyId, PrimaryRegion: there.region });
    control.advance(100 * dayMs);
    const [after, primary] = await ids();
    assert.equal(after, primary);
    assert.notEqual(after, here);
    assert.equal((await call("ListKeyRotations", { KeyId })).Rotations?.length, 2);
  });
});
