// The runtime under HashiCorp's own hosts, old and new: the example plugin, bundled, loaded as SPIRE loads it.
import assert from "node:assert/strict";
import { before, describe, it, type TestContext } from "node:test";
import { bundlePlugins } from "../../go-plugin/bundled-fixture.ts";
import {
  buildGoHost,
  failedSteps,
  type GoHost,
  GoUnavailable,
  goPluginVersions,
  newestGoPlugin,
  type Report,
} from "./go-host.ts";

const wholeLife =
  "ping,init,unconfigured,validate,configure,generate,sign,rotate,concurrent,interrupt,metrics,deinit,shutdown";
let minimal: string;

before(async () => {
  [minimal] = await bundlePlugins("examples/minimal-plugin/minimal-plugin.ts");
});

async function hostOr(t: TestContext, goPlugin: string, race: boolean): Promise<GoHost | undefined> {
  try {
    return await buildGoHost({ goPlugin, race });
  } catch (error) {
    if (!(error instanceof GoUnavailable)) throw error;
    t.skip(error.message);
    return undefined;
  }
}

function flags(...more: readonly string[]): string[] {
  return ["-plugin", minimal, "-name", "minimal", "-key-types", "EC_P256,EC_P384", ...more];
}

function assertPassed(report: Report, goPlugin: string): void {
  assert.deepEqual(failedSteps(report), []);
  assert.equal(report.ok, true);
  assert.equal(report.goPlugin, goPlugin);
}

describe("a whole life under go-plugin", { timeout: 900_000 }, () => {
  for (const goPlugin of goPluginVersions) {
    for (const mode of ["plain", "AutoMTLS"] as const) {
      it(`${goPlugin}, ${mode}`, async (t) => {
        const isNewest = goPlugin === newestGoPlugin;
        const host = await hostOr(t, goPlugin, isNewest);
        if (host === undefined) return;
        const report = await host.run(...flags("-steps", wholeLife, ...(mode === "plain" ? [] : ["-auto-mtls"])));
        assertPassed(report, goPlugin);
        assert.deepEqual(report.metrics, [{ call: "IncrCounter", key: "minimal.loaded", value: 1 }]);
      });
    }
  }
});

describe("under the newest go-plugin", { timeout: 900_000 }, () => {
  it("the plugin's log lines arrive parsed, at their levels, with their fields", async (t) => {
    const host = await hostOr(t, newestGoPlugin, true);
    if (host === undefined) return;
    const report = await host.run(...flags("-steps", "ping,init,configure,generate,interrupt,shutdown"));
    assertPassed(report, newestGoPlugin);
    const own = report.log.filter(({ module }) => module === "minimal");
    const generated = own.find(({ message }) => message === "key generated");
    assert.equal(generated?.level, "info");
    assert.equal(generated.fields.key_id, "interop-EC_P256");
    assert.equal(generated.fields.method, "spire.plugin.server.keymanager.v1.KeyManager/GenerateKey");
    assert.match(String(generated.fields.timestamp), /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(
      own.filter(({ fields }) => fields.signal === "SIGINT").map(({ level }) => level),
      ["trace", "trace", "trace"],
    );
    assert.equal(own.find(({ fields }) => fields.reason === "Shutdown")?.level, "debug");
    // Everything the plugin wrote to stderr parsed: go-plugin logs a line it cannot parse under its own module.
    const unparsed = report.log.filter(
      ({ module, message }) => module.startsWith("host.minimal") || message.startsWith("{"),
    );
    assert.deepEqual(unparsed, []);
  });

  it("a request for multiplexing is declined in the handshake, and the host says so", async (t) => {
    const host = await hostOr(t, newestGoPlugin, true);
    if (host === undefined) return;
    const report = await host.run(...flags("-multiplex", "-steps", "ping"));
    assert.match(failedSteps(report).join(), /^load: .*multiplexing but plugin does not support the feature$/);
  });

  it("a file with another checksum is not started", async (t) => {
    const host = await hostOr(t, newestGoPlugin, true);
    if (host === undefined) return;
    const report = await host.run(...flags("-checksum", "00".repeat(32), "-steps", "ping"));
    assert.deepEqual(failedSteps(report), ["load: failed to launch plugin: checksums did not match"]);
    assert.deepEqual(report.log, []);
  });

  for (const steps of ["ping,sigterm", "ping,sigkill", "shutdown", "ping,init,deinit,shutdown"]) {
    it(`it ends in time: ${steps}`, async (t) => {
      const host = await hostOr(t, newestGoPlugin, true);
      if (host === undefined) return;
      assertPassed(await host.run(...flags("-steps", steps)), newestGoPlugin);
    });
  }
});
