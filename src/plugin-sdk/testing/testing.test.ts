/** The test host, tried on a plugin in this process, and on one that is a process. */
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { before, describe, it } from "node:test";
import { bundlePlugins } from "../../../test/go-plugin/bundled-fixture.ts";
import {
  type CallContext,
  type HostServices,
  ServerNodeAttestor as NodeAttestor,
  serverNodeAttestor,
  WorkloadAttestor,
  workloadAttestor,
} from "../index.ts";
import { cancelDrill, checkPlugin, createTestHost, deadlineDrill, formatReport, killDrill } from "./index.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** Ends when its caller does. */
const waiting = ({ signal }: CallContext): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));

describe("a plugin loaded by the test host", () => {
  it("finds SPIRE's services, and its log and metrics are kept", async (t) => {
    const known = "spiffe://example.org/spire/agent/x/known";
    const host = createTestHost({
      agents: [known],
      identity: { certChain: [bytes("leaf")], privateKey: bytes("key"), bundle: { trustDomain: "example.org" } },
    });
    t.after(() => host.stop());
    let services: HostServices | undefined;
    const plugin = await host.load({
      onInit(given) {
        services = given;
      },
      services: [
        serverNodeAttestor({
          async attest(payload, { log }) {
            log.info("attesting", { payload: Buffer.from(payload).toString() });
            services?.metrics.incrCounter(["x", "attested"], 1, { how: "well" });
            const isKnown = await services?.agentStore.hasAttested(known);
            const isStrangerKnown = await services?.agentStore.hasAttested("spiffe://example.org/other");
            const identity = await services?.identityProvider.fetchX509Identity();
            return {
              spiffeId: known,
              selectorValues: [`${isKnown} ${isStrangerKnown} ${identity?.bundle.trustDomain}`],
            };
          },
        }),
      ],
    });
    const requests = [{ request: { case: "payload", value: bytes("p") } } as const];
    for await (const { response } of plugin.client(NodeAttestor).attest(requests)) {
      assert.ok(response.case === "agentAttributes");
      assert.deepEqual(response.value.selectorValues, ["true false example.org"]);
    }
    const { labels, value, call } = await host.metric("x.attested");
    assert.deepEqual([labels, value, call], [{ how: "well" }, 1, "incrCounter"]);
    const line = host.log.find(({ message }) => message === "attesting");
    assert.equal(line?.level, "info");
    assert.equal(line.fields.payload, "p");
    host.identity = undefined;
    await assert.rejects(services?.identityProvider.fetchX509Identity() ?? Promise.resolve(), /no identity/);
  });

  it("passes the drills when it ends what its caller has left, and fails them when it does not wait", async (t) => {
    const host = createTestHost();
    t.after(() => host.stop());
    const patient = await host.load({ services: [workloadAttestor({ attest: (_pid, context) => waiting(context) })] });
    const client = patient.client(WorkloadAttestor);
    await deadlineDrill((options) => client.attest({ pid: 1 }, options), 50);
    await cancelDrill((options) => client.attest({ pid: 1 }, options));
    const hasty = await host.load({ services: [workloadAttestor({ attest: () => [] })] });
    const answer = cancelDrill(
      (options) => hasty.client(WorkloadAttestor).attest({ pid: 1 }, options),
      new Promise((resolve) => setTimeout(resolve, 5000).unref()),
    );
    await assert.rejects(answer, /should have failed with CANCELLED, and ended well/);
  });
});

describe("an executable", () => {
  let plugin = "";
  let folder = "";
  before(async () => {
    [plugin] = await bundlePlugins("test/interop/go-host/plugins/workload-attestor.ts");
    folder = mkdtempSync(path.join(tmpdir(), "check-"));
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  });

  function script(name: string, text: string): string {
    const file = path.join(folder, name);
    writeFileSync(file, `#!${process.execPath}\n${text}`);
    chmodSync(file, 0o755);
    return file;
  }

  it("is started by the test host, killed, and started again", async (t) => {
    const host = createTestHost();
    t.after(() => host.stop());
    const start = async () => {
      const started = await host.start(plugin, { type: "WorkloadAttestor" });
      await started.configure("", "example.org");
      return started;
    };
    const again = await killDrill(await start(), start, (one) => one.client(WorkloadAttestor).attest({ pid: 7 }));
    await again.ping();
    await again.stop();
    assert.equal((await again.exited).code, 0);
    assert.ok(host.log.length > 0);
  });

  it("that is a good plugin is fit, and the report ends with the block that loads it", async () => {
    const report = await checkPlugin(plugin);
    const text = formatReport(report, "mine");
    assert.equal(report.isFit, true, text);
    assert.equal(report.type, "WorkloadAttestor");
    assert.deepEqual(
      report.findings.filter(({ verdict }) => verdict !== "good"),
      [],
      text,
    );
    for (const step of ["handshake", "health", "stdio", "Init", "Configure", "Validate", "unknown calls", "log"]) {
      assert.ok(
        report.findings.some((finding) => finding.step === step),
        step,
      );
    }
    assert.match(text, /WorkloadAttestor "mine" \{\n {8}plugin_cmd = "\/.*"\n {8}plugin_checksum = "[0-9a-f]{64}"/);
  });

  it("that SPIRE would not load is not fit, with what SPIRE would say", async () => {
    const cases = {
      [path.join(folder, "missing")]: /no such file or directory/,
      [script("silent", "setTimeout(() => {}, 60_000);")]: /timeout while waiting for plugin to start/,
      [script("chatty", 'console.log("hello");')]: /Unrecognized remote plugin message/,
    };
    for (const [file, spire] of Object.entries(cases)) {
      const report = await checkPlugin(file, { type: "Notifier", startTimeoutMs: 3000 });
      assert.equal(report.isFit, false);
      assert.match(formatReport(report), spire);
      assert.match(formatReport(report), /is not fit for SPIRE\.$/);
    }
    const text = path.join(folder, "text");
    writeFileSync(text, "");
    assert.match(formatReport(await checkPlugin(text)), /chmod \+x/);
  });

  it("of another type, or with a configuration that it refuses, is not fit", async () => {
    const wrong = await checkPlugin(plugin, { type: "Notifier" });
    assert.match(formatReport(wrong), /^FAULT handshake: /m);
    const refused = await checkPlugin(plugin, { pluginData: "greting = 1" });
    assert.match(formatReport(refused), /FAULT Configure: INVALID_ARGUMENT: plugin_data: greting: .* \(line 1\)/);
  });
});
