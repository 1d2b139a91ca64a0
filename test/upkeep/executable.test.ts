/** Upkeep as the built plugin does it, over HTTP and in real time: just enough to see that it is there. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { signMessage } from "../plugin/harness/signing.ts";
import { useStage } from "../plugin/harness/stage.ts";

const dayMs = 86_400_000;
const keyId = "x509-CA-A";
const atOnce = { scan_start_delay: "0s" };

/** The plugin's clock goes with KMS's. */
const withClockMovedBy = (ms: number) => ({
  NODE_OPTIONS: `--import=${new URL("../fixtures/moved-clock.mjs", import.meta.url).href}`,
  MOVED_CLOCK_MS: String(ms),
});

describe("the built plugin", () => {
  const stage = useStage();

  it("prunes what a dead server left, soon after its start, by KMS's clock", async () => {
    const dead = await stage.start();
    await dead.configure({ key_identifier_value: "dead" });
    await dead.generate(keyId);
    await dead.stop();
    const left = await stage.kms.keyBehind("dead", keyId);
    // Half an hour past the day: KMS tells its time in whole seconds, and the age is written in whole hours.
    const awayMs = 15 * dayMs + 1_800_000;
    stage.emulator.control.advance(awayMs);

    const plugin = await stage.start({ env: withClockMovedBy(awayMs) });
    await plugin.configure({ ...atOnce, prune_confirm_delay: "1s" });
    const { fields } = await plugin.logged(/^Key scheduled for deletion$/, left.arn);
    assert.equal(fields.rule, "stale alias");
    assert.match(String(fields.age), /^360h$/);
    const { state, deletionDate } = await stage.kms.key(left.keyId);
    assert.equal(state, "PendingDeletion");
    assert.equal(fields.deletion_date, deletionDate?.toISOString());
    await plugin.stop();
  });

  it("prunes nothing while this machine's clock and KMS's are days apart, and says so", async () => {
    const dead = await stage.start();
    await dead.configure({ key_identifier_value: "dead-too" });
    await dead.generate(keyId);
    await dead.stop();
    const left = await stage.kms.keyBehind("dead-too", keyId);
    stage.emulator.control.advance(20 * dayMs);
    const plugin = await stage.start();
    await plugin.configure({ ...atOnce, prune_confirm_delay: "0s" });
    const { fields } = await plugin.logged(/^Nothing is pruned in this scan/, "prune stale aliases");
    assert.match(String(fields.reason), /differ by/);
    assert.equal((await stage.kms.key(left.keyId)).state, "Enabled");
    await plugin.stop();
  });

  it("serves without kms:ListKeys, and says what does not work", async () => {
    const name = "AccessDeniedException";
    const message = "User: x is not authorized to perform: kms:ListKeys on resource: *";
    const fault = stage.kms.fault({ kind: "error", operation: "ListKeys", name, message });
    const plugin = await stage.start();
    await plugin.configure(atOnce);
    const { fingerprint } = await plugin.generate(keyId);
    const { keyFingerprint } = await signMessage(plugin, keyId, Buffer.from("message"), "sha256");
    assert.equal(keyFingerprint, fingerprint);
    const { fields } = await plugin.logged(/^Task failed/, "kms:ListKeys");
    assert.match(String(fields.reason), /allow kms:ListKeys /);
    assert.match(String(fields.consequence), /are not pruned/);
    await plugin.stop();
    fault.remove();
  });
});
