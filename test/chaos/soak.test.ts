import assert from "node:assert/strict";
import { it } from "node:test";
import { startKmsStub } from "../../bench/kms-stub.ts";
import { drive, keyId, startBenchPlugin } from "../../bench/plugin.ts";
import { residentBytes } from "./resident-memory.ts";

/** The long version is `bench/soak.ts`. */
const signatures = Number(process.env.SOAK_SIGNATURES ?? 6_000);

it(`memory does not grow with signatures: ${signatures} of them through the built plugin`, async (t) => {
  const stub = await startKmsStub();
  const plugin = await startBenchPlugin(stub.endpoint);
  try {
    await plugin.configure();
    await plugin.generate(keyId);
    const sign = async () => assert.ok((await plugin.sign(stub.digest)) > 0);
    await drive(signatures / 2, 32, sign);
    const warm = residentBytes(plugin.host.pid);
    await drive(signatures / 2, 32, sign);
    const grown = (residentBytes(plugin.host.pid) - warm) / 2 ** 20;
    t.diagnostic(
      `${(warm / 2 ** 20).toFixed(0)} MB after the first half, ${grown.toFixed(0)} MB more after the second`,
    );
    // A leak of twenty kilobytes a signature shows; the heap itself still finds its size. The long version sees more.
    assert.ok(grown < 60, `${grown} MB more after the second half`);
  } finally {
    await plugin.host.kill();
    await stub.close();
  }
});
