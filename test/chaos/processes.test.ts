import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { FaultEffect } from "../../src/kms-emulator/index.ts";
import { GrpcStatusError, type PublicKey } from "../../src/plugin-sdk/index.ts";
import { publicKeyOf, signMessage, verifies } from "../plugin/harness/signing.ts";
import { useStage } from "../plugin/harness/stage.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";
import { seededRandom } from "../simulation/virtual-time.ts";

const lives = Number(process.env.CHAOS_LIVES ?? 5);
const keyIds = ["x509-CA-A", "JWT-Signer-A"] as const;

const faults: readonly FaultEffect[] = [
  { kind: "error", name: "KMSInternalException" },
  { kind: "error", name: "AccessDeniedException" },
  { kind: "throttle", perSecond: 5 },
  { kind: "lost-reply" },
  { kind: "reset" },
  { kind: "http-500", status: 503 },
  { kind: "delay", ms: 150 },
  { kind: "corrupt-signature" },
];

describe("the built plugin, killed at random moments while KMS fails at random", () => {
  const stage = useStage();
  const random = seededRandom(Number(process.env.CHAOS_SEED ?? 1));
  /** What GenerateKey has returned last, by id; and keys that a generation without an answer may have left in place. */
  const promised = new Map<string, PublicKey>();
  const uncertain = new Set<string>();

  /** A key by its fingerprint, as KMS told it: by the time a signature arrives, its key may be pending deletion. */
  function keyOf(fingerprint: string) {
    for (const { operation, output } of stage.emulator.control.journal()) {
      if (operation !== "GetPublicKey") continue;
      const pkixData: unknown = Reflect.get(Object(output), "PublicKey");
      if (!(pkixData instanceof Uint8Array)) continue;
      if (createHash("sha256").update(pkixData).digest("hex") === fingerprint) return publicKeyOf({ pkixData });
    }
    return assert.fail(`KMS has told no public key with fingerprint ${fingerprint}`);
  }

  async function attempt<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call;
    } catch (error) {
      assert.ok(error instanceof GrpcStatusError, String(error));
      return undefined;
    }
  }

  async function generate(plugin: TestPlugin, keyId: string): Promise<void> {
    uncertain.add(keyId);
    const key = await attempt(plugin.generate(keyId));
    if (key === undefined) return;
    promised.set(keyId, key);
    uncertain.delete(keyId);
  }

  async function sign(plugin: TestPlugin, keyId: string): Promise<void> {
    const message = Buffer.from(`${keyId} ${random()}`);
    const before = promised.get(keyId)?.fingerprint;
    const wasCertain = !uncertain.has(keyId);
    const answer = await attempt(signMessage(plugin, keyId, message, "sha256"));
    if (answer === undefined) return;
    if (wasCertain && !uncertain.has(keyId) && promised.get(keyId)?.fingerprint === before && before !== undefined) {
      assert.equal(answer.keyFingerprint, before, `${keyId} signs with its last key`);
    }
    assert.ok(verifies(keyOf(answer.keyFingerprint), message, "sha256", answer.signature));
  }

  it(`starts ${lives} times after kill -9, with the keys it had, and signs with nothing else`, async () => {
    for (let life = 0; life < lives; life++) {
      stage.kms.clearFaults();
      const plugin = await stage.start();
      await plugin.configure();
      const present = await plugin.fingerprints();
      for (const [keyId, { fingerprint }] of promised) {
        assert.ok(present.has(keyId), `${keyId} is there after the crash`);
        if (!uncertain.has(keyId)) assert.equal(present.get(keyId), fingerprint, `${keyId} has its last key`);
      }
      for (const keyId of present.keys()) await sign(plugin, keyId);
      for (const fault of faults) {
        if (random() < 0.6) stage.kms.fault({ ...fault, probability: 0.15 });
      }
      const work: Promise<void>[] = [];
      for (let step = 0; step < 12; step++) {
        const keyId = keyIds[Math.floor(random() * keyIds.length)] ?? keyIds[0];
        const isGenerating = uncertain.has(keyId) || random() < 0.3;
        work.push(isGenerating ? generate(plugin, keyId) : sign(plugin, keyId));
        // One generation of an id at a time, so that it is known which was the last.
        if (isGenerating) await work.at(-1);
        await delay(random() * 60);
      }
      const last = generate(plugin, keyIds[0]);
      await delay(random() * 80);
      await plugin.host.kill();
      await Promise.all([...work, last]);
    }
    stage.kms.clearFaults();
    const plugin = await stage.start();
    await plugin.configure();
    for (const keyId of keyIds) {
      await generate(plugin, keyId);
      await sign(plugin, keyId);
    }
    await plugin.stop();
    for (const key of await stage.kms.keys()) {
      assert.equal(key.description, "SPIRE_SERVER/example.org", "the stale-key scan finds it");
      const isKept = [...promised.values()].some(({ fingerprint }) => fingerprint === key.fingerprint);
      if (!isKept) assert.deepEqual(key.aliases, [], "nothing stands on a key that is not in use");
    }
  });
});
