import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import type { KeyView } from "../harness/kms-view.ts";
import { publicKeyOf, signMessage, verifies } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

/** What becomes of the call that the process was waiting for when it was killed. */
type Fate =
  /** It never reaches KMS. */
  | "lost"
  /** KMS has carried it out; its answer is not heard. */
  | "done"
  /** It reaches KMS only after the next start's Configure. */
  | "late";

interface CrashCase {
  readonly generation: "first" | "rotation";
  readonly operation: string;
  readonly fate: Fate;
  /** The key that Configure finds at the next start. */
  readonly finds: "none" | "old" | "new";
  /** Every other key of this server: what costs money until the stale-key scan sees it (unless it is pending already). */
  readonly leaves: readonly string[];
}

const orphan = "new: Enabled, no alias";
const orphaned = "old: Enabled, no alias";

/** Every await point of GenerateKey: the calls it makes, in order, and the three things that can become of each. */
const cases: readonly CrashCase[] = [
  { generation: "first", operation: "CreateKey", fate: "lost", finds: "none", leaves: [] },
  { generation: "first", operation: "CreateKey", fate: "done", finds: "none", leaves: [orphan] },
  { generation: "first", operation: "CreateKey", fate: "late", finds: "none", leaves: [orphan] },
  { generation: "first", operation: "GetPublicKey", fate: "lost", finds: "none", leaves: [orphan] },
  { generation: "first", operation: "GetPublicKey", fate: "done", finds: "none", leaves: [orphan] },
  { generation: "first", operation: "CreateAlias", fate: "lost", finds: "none", leaves: [orphan] },
  { generation: "first", operation: "CreateAlias", fate: "done", finds: "new", leaves: [] },
  // Nothing is lost: the alias that turns up is found by the next GenerateKey of this id, or by the next start.
  { generation: "first", operation: "CreateAlias", fate: "late", finds: "none", leaves: ["new: Enabled, alias"] },
  { generation: "rotation", operation: "CreateKey", fate: "lost", finds: "old", leaves: [] },
  { generation: "rotation", operation: "CreateKey", fate: "done", finds: "old", leaves: [orphan] },
  { generation: "rotation", operation: "CreateKey", fate: "late", finds: "old", leaves: [orphan] },
  { generation: "rotation", operation: "GetPublicKey", fate: "lost", finds: "old", leaves: [orphan] },
  { generation: "rotation", operation: "GetPublicKey", fate: "done", finds: "old", leaves: [orphan] },
  { generation: "rotation", operation: "UpdateAlias", fate: "lost", finds: "old", leaves: [orphan] },
  { generation: "rotation", operation: "UpdateAlias", fate: "done", finds: "new", leaves: [orphaned] },
  // The old key stays in use until the alias refresh follows the alias; the scans spare a key in use.
  { generation: "rotation", operation: "UpdateAlias", fate: "late", finds: "old", leaves: ["new: Enabled, alias"] },
  // GenerateKey has answered; what follows is the old key's way out.
  { generation: "rotation", operation: "DescribeKey", fate: "lost", finds: "new", leaves: [orphaned] },
  { generation: "rotation", operation: "DescribeKey", fate: "done", finds: "new", leaves: [orphaned] },
  { generation: "rotation", operation: "ScheduleKeyDeletion", fate: "lost", finds: "new", leaves: [orphaned] },
  {
    generation: "rotation",
    operation: "ScheduleKeyDeletion",
    fate: "done",
    finds: "new",
    leaves: ["old: PendingDeletion, no alias"],
  },
];

const keyId = "x509-CA-A";

describe("kill -9 at every await point of GenerateKey", () => {
  const stage = useStage();
  const rows: string[][] = [];
  let plugin: TestPlugin | undefined;

  /** Holds the call, kills the process that waits for it, and lets the call meet its fate. */
  async function crash(victim: TestPlugin, { operation, fate }: CrashCase): Promise<() => Promise<void>> {
    const { kms } = stage;
    const fault = fate === "lost" ? kms.fault({ kind: "reset", operation, times: 1 }) : undefined;
    const pause = kms.pause({ operation, when: fate === "done" ? "after" : "before" });
    const generated = victim.generate(keyId).catch(() => undefined);
    await pause.reached;
    await victim.host.kill();
    await generated;
    const arrive = async (): Promise<void> => {
      const landed = kms.pause({ operation, when: "after" });
      pause.release();
      if (fate === "late") await landed.reached;
      landed.release();
      fault?.remove();
    };
    if (fate === "late") return arrive;
    await arrive();
    return async () => undefined;
  }

  for (const crashCase of cases) {
    const { generation, operation, fate, finds, leaves } = crashCase;
    it(`${generation}: ${operation} ${fate}`, async () => {
      const settings = { key_identifier_value: `${generation}-${operation}-${fate}` };
      const known = new Set((await stage.kms.keys()).map(({ arn }) => arn));
      plugin ??= await stage.start();
      await plugin.configure(settings);
      const old = generation === "rotation" ? await plugin.generate(keyId) : undefined;

      const arrive = await crash(plugin, crashCase);
      plugin = await stage.start();
      await plugin.configure(settings);
      await arrive();

      const found = (await plugin.fingerprints()).get(keyId);
      const keys = (await stage.kms.keys()).filter(({ arn }) => !known.has(arn));
      const nameOf = ({ fingerprint, state }: KeyView): string =>
        old !== undefined && (fingerprint === old.fingerprint || state === "PendingDeletion") ? "old" : "new";
      const inUse = keys.find(({ fingerprint }) => fingerprint !== "" && fingerprint === found);
      const left = keys.filter((key) => key !== inUse);
      const describeKey = (key: KeyView) =>
        `${nameOf(key)}: ${key.state}, ${key.aliases.length > 0 ? "alias" : "no alias"}`;
      rows.push([
        generation,
        operation,
        fate,
        inUse === undefined ? "none" : nameOf(inUse),
        left.map(describeKey).join("; "),
      ]);

      assert.equal(inUse === undefined ? "none" : nameOf(inUse), finds);
      assert.deepEqual(left.map(describeKey), leaves);
      // What the stale-key scan of this trust domain looks for.
      for (const key of keys) assert.equal(key.description, "SPIRE_SERVER/example.org");
      await assertLivesOn(plugin);
    });
  }

  /** The server makes its next key and signs with it, and that key is safe. */
  async function assertLivesOn(restarted: TestPlugin): Promise<void> {
    const next = await restarted.generate(keyId);
    const message = Buffer.from("after the crash");
    const { signature, keyFingerprint } = await signMessage(restarted, keyId, message, "sha256");
    assert.equal(keyFingerprint, next.fingerprint);
    assert.ok(verifies(publicKeyOf(next), message, "sha256", signature));
    const key = (await stage.kms.keys()).find(({ fingerprint }) => fingerprint === next.fingerprint);
    assert.equal(key?.state, "Enabled");
    assert.equal(key?.aliases.length, 1);
  }

  it("leaves exactly what the table says", (t) => {
    const head = ["generation", "killed while waiting for", "the call was", "next start finds", "orphans"];
    const table = [head, ...rows];
    const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
    for (const row of table)
      t.diagnostic(
        row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join("  ")
          .trimEnd(),
      );
    assert.equal(rows.length, cases.length);
  });

  after(() => plugin?.host.kill());
});
