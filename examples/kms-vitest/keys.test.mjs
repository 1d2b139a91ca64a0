/**
 * AWS KMS in a test with vitest: `npx vitest run`. No account, no Docker.
 *
 *   npm install --save-dev spire-aws-kms vitest
 *
 * The engine runs inside the test, and its clock moves only when it is told to: a week passes in no time.
 */
import { createEngine, manualClock } from "spire-aws-kms/kms-emulator";
import { beforeEach, describe, expect, it } from "vitest";

const dayMs = 24 * 60 * 60 * 1000;

describe("a key that is scheduled for deletion", () => {
  const { control } = createEngine({
    clock: manualClock(new Date("2026-01-01")),
    seeds: { keys: [{ keySpec: "RSA_2048", ageDays: 400, aliases: ["alias/app"] }] },
  });

  beforeEach(() => control.reset());

  it("can be rescued for a week", async () => {
    const { KeyMetadata } = await control.call("DescribeKey", { KeyId: "alias/app" });
    const { KeyId } = KeyMetadata;
    await control.call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    control.advance(6 * dayMs);
    await control.call("CancelKeyDeletion", { KeyId });
    control.advance(30 * dayMs);
    const { KeyMetadata: rescued } = await control.call("DescribeKey", { KeyId });
    expect(rescued.KeyState).toBe("Disabled");
  });

  it("is deleted after that, with its aliases", async () => {
    const { KeyMetadata } = await control.call("DescribeKey", { KeyId: "alias/app" });
    await control.call("ScheduleKeyDeletion", { KeyId: KeyMetadata.KeyId, PendingWindowInDays: 7 });
    control.advance(7 * dayMs);
    await expect(control.call("DescribeKey", { KeyId: KeyMetadata.KeyId })).rejects.toThrow("does not exist");
    const { Aliases } = await control.call("ListAliases", {});
    expect(Aliases.map(({ AliasName }) => AliasName)).not.toContain("alias/app");
  });
});
