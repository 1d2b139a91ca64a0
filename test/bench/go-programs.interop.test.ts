/** The benchmark's programs in Go: that they build, and that what is measured with them is what it says. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { pluginCommand } from "../../bench/plugin.ts";
import { type Bench, type Contestant, environmentFor, keys, resetKms, settingsFor } from "../../bench/table/bench.ts";
import { buildGoPrograms, startGoDriver, startGoStub } from "../../bench/table/go-programs.ts";

const programs = await buildGoPrograms();
const skip = typeof programs === "string" ? programs : false;

describe("the benchmark's programs", { skip }, async () => {
  if (typeof programs === "string") return;
  const driver = startGoDriver(programs["go-driver"]);
  const kms = await startGoStub(programs["go-stub"]);
  after(async () => {
    await driver.close();
    await kms.close();
  });
  const contestants: readonly Contestant[] = [
    { name: "ours", path: pluginCommand },
    { name: "go", path: programs["go-peer"] },
  ];
  const bench = { driver, kms, contestants } as unknown as Bench;

  async function started(contestant: Contestant): Promise<string> {
    await resetKms(bench);
    await driver.start(contestant.name, contestant.path, environmentFor(bench));
    await driver.configure(contestant.name, settingsFor(contestant));
    return contestant.name;
  }

  for (const contestant of contestants) {
    describe(contestant.name, () => {
      it("signs with the four keys it has found, so that the driver's own check passes", async () => {
        const name = await started(contestant);
        for (const { id, spec } of keys) {
          const hash = spec === "ECC_NIST_P384" ? "SHA384" : "SHA256";
          const result = await driver.sign(name, { keyId: id, hash, calls: 20, callers: 4 });
          assert.deepEqual([result.succeeded, result.failed], [20, {}], spec);
          assert.ok(result.cpuMs > 0 && result.p50 > 0);
        }
        assert.equal((await kms.counts()).Sign, 84, "20 calls and one that is verified, for each key");
        await driver.kill(name);
      });

      it("makes keys while it signs", async () => {
        const name = await started(contestant);
        await kms.behave({ createDelayMs: 5 });
        const run = { keyId: keys[0].id, calls: 20, perSecond: 200, generate: 2 };
        assert.deepEqual((await driver.sign(name, run)).failed, {});
        assert.equal((await kms.counts()).CreateKey, 2);
        await driver.kill(name);
      });
    });
  }

  it("throttles what is above the quota, and counts it", async () => {
    await kms.behave({ signQuota: 1 });
    const ask = async () => {
      const headers = { "X-Amz-Target": "TrentService.Sign" };
      const body = JSON.stringify({ KeyId: "none", Message: "", SigningAlgorithm: "ECDSA_SHA_256" });
      const answer = await fetch(kms.endpoint, { method: "POST", headers, body });
      return ((await answer.json()) as { readonly __type: string }).__type;
    };
    assert.equal(await ask(), "ThrottlingException");
    assert.deepEqual(await kms.counts(), { Sign: 1, throttled: 1 });
  });

  it("tells what the plugin's start has failed with", async () => {
    await assert.rejects(driver.start("none", "/nonexistent/plugin", []), /failed to start \/nonexistent\/plugin/);
    await assert.rejects(driver.cpuMs("none"), /no plugin "none" was started/);
  });
});
