import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { GrpcStatusError } from "../../src/plugin-sdk/index.ts";
import { publicKeyOf, signMessage, verifies } from "../plugin/harness/signing.ts";
import { useStage } from "../plugin/harness/stage.ts";
import { startHostileProxy } from "./hostile-proxy.ts";
import { Chance, rounds, seed } from "./seed.ts";
import { assertSound } from "./sound.ts";

const keyIds = ["x509-CA-A", "JWT-Signer-A"] as const;

describe("a KMS endpoint that answers nonsense", () => {
  const stage = useStage();
  /** Configure with six keys, each step tried as often as it may be, and the deletions of failed generations beside it. */
  const maxRequests = 250;

  it("never makes the plugin crash, hang, or hand out a wrong answer", async (t) => {
    const chance = new Chance(20);
    let requests = 0;
    const proxy = await startHostileProxy(stage.emulator.endpoint, (operation, ordinal) => {
      requests++;
      return Chance.of(20, operation, ordinal);
    });
    const plugin = await stage.start({ env: { AWS_ENDPOINT_URL: proxy.endpoint } });
    const endings = new Map<string, number>();
    /** The call ends after a number of requests that has a bound, with an answer or a status that is no defect of ours. */
    const told = async <T>(call: Promise<T>): Promise<T | undefined> => {
      const before = requests;
      try {
        return await call;
      } catch (error) {
        assert.ok(error instanceof GrpcStatusError, String(error));
        endings.set(error.code, (endings.get(error.code) ?? 0) + 1);
        assert.notEqual(error.code, "UNKNOWN");
        assert.doesNotMatch(error.details, /undefined|\[object|\n/);
        return undefined;
      } finally {
        // What runs in the background asks as well, so the bound is wide.
        assert.ok(requests - before <= maxRequests, `${requests - before} requests for one call`);
      }
    };
    try {
      await plugin.configure();
      for (const keyId of keyIds) await plugin.generate(keyId);
      proxy.isHostile = true;
      for (let round = 0; round < rounds(60); round++) {
        const keyId = chance.pick(keyIds);
        if (round % 10 === 9) await told(plugin.configure());
        if (round % 6 === 5) await told(plugin.generate(keyId));
        const message = Buffer.from(`message ${round}`);
        const answer = await told(signMessage(plugin, keyId, message, "sha256"));
        if (answer === undefined) continue;
        // By KMS itself, past the proxy.
        const keys = await stage.kms.keys();
        const key = keys.find(({ fingerprint }) => fingerprint === answer.keyFingerprint);
        assert.ok(key, "the key that signed is KMS's own");
        const { PublicKey } = await stage.kms.call<{ PublicKey: Uint8Array }>("GetPublicKey", { KeyId: key.arn });
        assert.ok(verifies(publicKeyOf({ pkixData: PublicKey }), message, "sha256", answer.signature));
      }
      await assertSound(plugin);
      t.diagnostic(
        JSON.stringify({ seed, falsified: Object.fromEntries(proxy.done), ended: Object.fromEntries(endings) }),
      );
      assert.ok(proxy.done.size >= 8, [...proxy.done.keys()].join());
      proxy.isHostile = false;
      await plugin.configure();
      for (const keyId of keyIds) {
        await plugin.generate(keyId);
        await signMessage(plugin, keyId, Buffer.from("m"), "sha256");
      }
      await plugin.stop();
    } finally {
      await proxy.close();
    }
  });

  it("garbage instead of HTTP and TLS: UNAVAILABLE, soon", async () => {
    let connections = 0;
    const server = createServer((socket) => {
      const chance = Chance.of(21, "connection", ++connections);
      socket.on("error", () => undefined);
      socket.end(chance.bytes(1 + chance.below(500)));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    try {
      const plugin = await stage.start();
      for (const scheme of ["http", "https"]) {
        await assert.rejects(plugin.configure({ endpoint: `${scheme}://127.0.0.1:${port}` }), { code: "UNAVAILABLE" });
      }
      await assertSound(plugin);
      await plugin.stop();
    } finally {
      server.close();
    }
  });
});
