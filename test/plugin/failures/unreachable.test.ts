import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { createServer } from "node:net";
import { before, describe, it } from "node:test";
import type { Fault } from "../../../src/kms-emulator/index.ts";
import type { StatusCode } from "../../../src/plugin-sdk/index.ts";
import { signMessage } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

/** A port of this machine that no process listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof address === "object" && address !== null);
  return address.port;
}

const keyId = "x509-CA-A";

describe("AWS out of reach", () => {
  const stage = useStage();
  let plugin: TestPlugin;
  let fingerprint: string;

  before(async () => {
    plugin = await stage.start();
    await plugin.configure();
    ({ fingerprint } = await plugin.generate(keyId));
  });

  async function assertRefused(settings: Record<string, string>, code: StatusCode, ...words: readonly RegExp[]) {
    const file = { key_identifier_value: undefined, key_identifier_file: "./id" };
    await expectStatus(plugin.configure({ ...file, ...settings }), code, ...words);
    assert.deepEqual(await readdir(stage.folder), [], "no id file");
    assert.deepEqual(await plugin.fingerprints(), new Map([[keyId, fingerprint]]));
    const { keyFingerprint } = await signMessage(plugin, keyId, Buffer.from("message"), "sha256");
    assert.equal(keyFingerprint, fingerprint, "the old configuration signs on, at the old endpoint");
  }

  const advice = /check the network, the endpoint and the region/;

  it("nothing listens at the endpoint", async () => {
    const endpoint = `http://127.0.0.1:${await closedPort()}`;
    await assertRefused({ endpoint }, "UNAVAILABLE", /ListAliases: ECONNREFUSED/, advice);
    await plugin.configure({ sts_endpoint: endpoint });
    await expectStatus(plugin.generate(keyId), "UNAVAILABLE", /GetCallerIdentity: ECONNREFUSED/, advice);
    await plugin.configure();
  });

  it("the endpoint speaks no TLS", async () => {
    const endpoint = stage.emulator.endpoint.replace("http:", "https:");
    await assertRefused({ endpoint }, "UNAVAILABLE", /ListAliases: /, advice);
  });

  it("the endpoint of the environment is wrong from the start", async () => {
    const AWS_ENDPOINT_URL = `http://127.0.0.1:${await closedPort()}`;
    const fresh = await stage.start({ env: { AWS_ENDPOINT_URL } });
    await expectStatus(fresh.configure(), "UNAVAILABLE", /ECONNREFUSED/, advice);
    await expectStatus(fresh.keyManager.getPublicKeys({}), "FAILED_PRECONDITION", "not configured");
    await fresh.stop();
  });

  const faults: readonly (readonly [title: string, fault: Fault, code: StatusCode, word: RegExp])[] = [
    ["a load balancer's error page", { kind: "http-500", status: 503 }, "UNAVAILABLE", advice],
    ["connections that are cut", { kind: "reset" }, "UNAVAILABLE", advice],
    ["KMS's own failure", { kind: "error", name: "KMSInternalException", message: "oops" }, "UNAVAILABLE", /oops/],
    ["throttling that does not end", { kind: "throttle", perSecond: 0 }, "RESOURCE_EXHAUSTED", /quota/],
  ];

  for (const [title, fault, code, word] of faults) {
    it(`${title}: tried three times, then ${code}`, async () => {
      const handle = stage.kms.fault({ operation: "ListAliases", ...fault });
      await assertRefused({}, code, /ListAliases/, word);
      // Where KMS throttles, a fleet starts as one: a listing at Configure is asked for again for ten seconds.
      if (fault.kind === "throttle") assert.ok(handle.hits > 3, `tried ${handle.hits} times`);
      else assert.equal(handle.hits, 3);
      handle.remove();
      const onSign = stage.kms.fault({ operation: "Sign", ...fault });
      const refused = signMessage(plugin, keyId, Buffer.from("message"), "sha256");
      await expectStatus(refused, code, new RegExp(`"${keyId}"`), /Sign/, word);
      assert.equal(onSign.hits, 3);
      onSign.remove();
      await assertRefused({ region: "us-east-2a" }, "INVALID_ARGUMENT");
    });

    it(`${title}, once: no caller notices`, async () => {
      const operation = ["Sign", "ListAliases", "GetCallerIdentity", "DescribeKey", "GetPublicKey", "UpdateAlias"];
      const handles = operation.map((one) => stage.kms.fault({ ...fault, operation: one, times: 1 }));
      await plugin.configure();
      await signMessage(plugin, keyId, Buffer.from("message"), "sha256");
      // Before KMS is asked to delete the replaced key it is asked about it: that must not meet the next test's faults.
      const scheduled = stage.kms.done("ScheduleKeyDeletion");
      ({ fingerprint } = await plugin.generate(keyId));
      await scheduled;
      assert.deepEqual(
        handles.map(({ hits }) => hits),
        operation.map(() => 1),
      );
      stage.kms.clearFaults();
      assert.equal((await plugin.fingerprints()).get(keyId), fingerprint);
    });
  }

  it("an endpoint that never answers: the call ends at SPIRE's deadline, and the next one works", async () => {
    const held = stage.kms.pause({ operation: "Sign", when: "before" });
    const digest = Buffer.alloc(32);
    const request = { keyId, data: digest, signerOpts: { case: "hashAlgorithm", value: 5 } as const };
    const signed = plugin.keyManager.signData(request, { timeoutMs: 300 });
    await expectStatus(signed, "DEADLINE_EXCEEDED");
    held.release();
    await signMessage(plugin, keyId, Buffer.from("message"), "sha256");
  });
});
