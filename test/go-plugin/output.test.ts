/** stdout is for the handshake and stderr for the log, whoever prints (docs/spire-plugin-protocol.md, "Output and log"). */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { KeyManager } from "../../src/gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
import { type HclogEntry, parseHclogLine } from "../../src/go-plugin/hclog/hclog-line.ts";
import { startPlugin } from "../../src/go-plugin/host/start-plugin.ts";
import { bundlePlugins } from "./bundled-fixture.ts";
import { startRaw } from "./raw-plugin.ts";

let prints: string;
before(async () => {
  [prints] = await bundlePlugins("test/fixtures/prints-to-stdout.ts");
});

describe("a plugin whose code prints", () => {
  it("prints its handshake alone on stdout, and log lines alone on stderr", async () => {
    const plugin = startRaw(prints, { ECHO_PLUGIN: "yes" });
    const line = await plugin.handshake;
    assert.match(line, /^1\|1\|unix\|[^|]+\|grpc\|$/);
    plugin.child.kill("SIGTERM");
    await plugin.exited;
    assert.equal(plugin.stdout(), `${line}\n`);
    const lines = plugin.stderr().trimEnd().split("\n");
    assert.ok(lines.length >= 4);
    for (const one of lines) assert.ok(parseHclogLine(one), one);
  });

  it("keeps to itself what Node prints for NODE_DEBUG, which can hold secrets, and says so once", async () => {
    const plugin = startRaw(prints, { ECHO_PLUGIN: "yes", NODE_DEBUG: "net,stream,timer,http2" });
    await plugin.handshake;
    plugin.child.kill("SIGTERM");
    await plugin.exited;
    const lines = plugin.stderr().trimEnd().split("\n").map(parseHclogLine);
    const messages = lines.map((line) => line?.message ?? "");
    assert.equal(messages.filter((message) => message.startsWith("NODE_DEBUG is set")).length, 1);
    assert.deepEqual(
      messages.filter((message) => /^\w+ \d+: /.test(message)),
      [],
    );
    assert.ok(messages.includes("early by console.error"), "other output is passed on");
  });

  it("sends what it prints to stdout to the host's stream, from the first word on, and the rest to the log at debug", async () => {
    let streamed = "";
    const entries: HclogEntry[] = [];
    const host = await startPlugin({
      command: prints,
      cookie: { key: "ECHO_PLUGIN", value: "yes" },
      onLog: (entry) => entries.push(entry),
      onStdio(channel, data) {
        assert.equal(channel, "stdout");
        streamed += data.toString();
      },
    });
    await host.client(KeyManager).signData({});
    await host.shutdown();
    const expected = ["early", "later"].flatMap((when) => [
      `${when} by console.log`,
      `${when} by process.stdout`,
      `${when} by import`,
    ]);
    assert.deepEqual(streamed.trimEnd().split("\n"), expected);

    const debug = entries.filter(({ level }) => level === "debug");
    const fromStderr = debug.filter(({ fields }) => fields.source === "stderr").map(({ message }) => message);
    const stderrOf = (when: string): string[] => [
      `${when} by console.error`,
      `${when} unfinished line`,
      '{"@level":"info","@message":5}',
    ];
    assert.deepEqual(fromStderr, [...stderrOf("early"), ...stderrOf("later")]);
    const warnings = debug.filter(({ message }) => message === "warning from Node.js").map(({ fields }) => fields);
    assert.deepEqual(warnings, [
      { warning: "DeprecationWarning: early warning", code: "DEP0" },
      { warning: "DeprecationWarning: later warning", code: "DEP0" },
    ]);
  });
});
