// Every kind of plugin under a Go host that is made with SPIRE's own plugin SDK: each RPC, streams both ways, cancellation,
// deadlines, errors with details, host services called back.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import type { PluginType } from "../../../src/plugin-sdk/index.ts";
import { bundlePlugins } from "../../go-plugin/bundled-fixture.ts";
import { buildGoHost, failedSteps, type GoHost, GoUnavailable, newestGoPlugin } from "./go-host.ts";

interface Kind {
  readonly type: PluginType;
  /** The steps of main.go that drive it, by what they show. */
  readonly steps: Readonly<Record<string, string>>;
}

const streams = "both streams, cancellation, deadline, error with details";
const unary = "its calls, cancellation, deadline, error with details";

/** By the file in plugins/. */
const kinds: Readonly<Record<string, Kind>> = {
  "agent-key-manager": { type: "KeyManager", steps: { "its four calls, error with details": "agent-key-manager" } },
  "agent-node-attestor": { type: "NodeAttestor", steps: { [streams]: "agent-node-attestor" } },
  "node-attestor": {
    type: "NodeAttestor",
    steps: { [streams]: "node-attestor", "identity provider and agent store called back": "node-attestor-host" },
  },
  "upstream-authority": {
    type: "UpstreamAuthority",
    steps: {
      "stream of roots, cancellation, deadline, error with details": "upstream-authority",
      "stream of JWT keys": "upstream-jwt",
    },
  },
  notifier: { type: "Notifier", steps: { "its calls, cancellation, error with details": "notifier" } },
  "bundle-publisher": { type: "BundlePublisher", steps: { [unary]: "bundle-publisher" } },
  "credential-composer": {
    type: "CredentialComposer",
    steps: { "its five calls, error with details": "credential-composer" },
  },
  "workload-attestor": { type: "WorkloadAttestor", steps: { [unary]: "workload-attestor" } },
  "svid-store": { type: "SVIDStore", steps: { [unary]: "svid-store" } },
};

async function hostOr(t: TestContext): Promise<GoHost | undefined> {
  try {
    return await buildGoHost({ goPlugin: newestGoPlugin, race: true });
  } catch (error) {
    if (!(error instanceof GoUnavailable)) throw error;
    t.skip(error.message);
    return undefined;
  }
}

describe("every kind of plugin, under a host made with spire-plugin-sdk", { timeout: 900_000 }, () => {
  let plugins = new Map<string, string>();

  before(async () => {
    const names = Object.keys(kinds);
    const files = await bundlePlugins(...names.map((name) => `test/interop/go-host/plugins/${name}.ts`));
    plugins = new Map(names.map((name, index) => [name, files[index] ?? ""]));
  });

  for (const [name, { type, steps }] of Object.entries(kinds)) {
    for (const [what, step] of Object.entries(steps)) {
      it(`${name}: ${what}`, async (t) => {
        const host = await hostOr(t);
        if (host === undefined) return;
        const life = `ping,init,validate,configure,${step},deinit,shutdown`;
        const report = await host.run("-plugin", plugins.get(name) ?? "", "-name", name, "-type", type, "-steps", life);
        assert.deepEqual(failedSteps(report), []);
      });
    }
  }

  it("the SDK's descriptors are those on record", async (t) => {
    const host = await hostOr(t);
    if (host === undefined) return;
    const recorded = readFileSync(path.join(import.meta.dirname, "sdk-descriptors.txt"), "utf8");
    assert.equal(execFileSync(host.binary, ["describe"], { encoding: "utf8" }), recorded);
  });
});
