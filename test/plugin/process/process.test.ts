import assert from "node:assert/strict";
import { existsSync, statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import {
  Health,
  HealthCheckResponse_ServingStatus as ServingStatus,
} from "../../../src/gen/grpc/health/v1/health_pb.ts";
import { Init, MetricsService } from "../../../src/plugin-sdk/index.ts";
import { startRaw } from "../../go-plugin/raw-plugin.ts";
import { pluginCommand } from "../harness/plugin-command.ts";
import { signMessage } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";

const cookie = { KeyManager: "KeyManager", PLUGIN_PROTOCOL_VERSIONS: "1" };
const message = Buffer.from("message");

describe("the process, as go-plugin and SPIRE want it", () => {
  const stage = useStage();

  it("prints one handshake line on stdout, and nothing but that", async () => {
    const plugin = startRaw(pluginCommand, cookie);
    const line = await plugin.handshake;
    assert.match(line, /^1\|1\|unix\|\/[^|]+\|grpc\|$/);
    const [, , , address = ""] = line.split("|");
    const { mode } = statSync(address);
    assert.ok(statSync(address).isSocket());
    assert.equal(mode & 0o777, 0o600);
    plugin.child.kill("SIGTERM");
    assert.deepEqual(await plugin.exited, { code: 0, signal: null });
    assert.equal(plugin.stdout(), `${line}\n`);
    assert.equal(existsSync(address), false, "the socket is removed");
    for (const logged of plugin.stderr().split("\n").filter(Boolean)) {
      assert.equal(typeof Reflect.get(JSON.parse(logged), "@message"), "string");
    }
  });

  for (const [title, env, pattern] of [
    ["the wrong protocol version", { PLUGIN_PROTOCOL_VERSIONS: "2,3" }, /protocol versions/],
    ["a socket folder that is not there", { PLUGIN_UNIX_SOCKET_DIR: "/no/such/folder" }, /no such directory/],
    ["a socket path that is too long", { PLUGIN_UNIX_SOCKET_DIR: undefined }, /unix socket path .* bytes/],
  ] as const) {
    it(`is refused ${title}: one log line at error, exit code 1, no handshake`, async () => {
      const long = join(stage.folder, "x".repeat(100));
      await mkdir(long, { recursive: true });
      const socketDir = "PLUGIN_UNIX_SOCKET_DIR" in env ? (env.PLUGIN_UNIX_SOCKET_DIR ?? long) : undefined;
      const plugin = startRaw(pluginCommand, { ...cookie, ...env, PLUGIN_UNIX_SOCKET_DIR: socketDir });
      assert.deepEqual(await plugin.exited, { code: 1, signal: null });
      assert.equal(plugin.stdout(), "");
      const [line, ...more] = plugin.stderr().trimEnd().split("\n");
      assert.deepEqual(more, []);
      const entry: unknown = JSON.parse(line ?? "");
      assert.equal(Reflect.get(Object(entry), "@level"), "error");
      assert.match(String(Reflect.get(Object(entry), "@message")), pattern);
    });
  }

  it("uses the host's socket folder, and says that it does not multiplex", async () => {
    const plugin = await stage.start({ unixSocketDir: stage.folder, multiplexGrpc: true });
    const { address, multiplexing, appProtocolVersion, network } = plugin.host.handshake;
    assert.deepEqual([appProtocolVersion, network, multiplexing], [1, "unix", false]);
    assert.ok(address.startsWith(`${stage.folder}/`));
    await plugin.stop();
    assert.equal(existsSync(address), false);
  });

  it("works under AutoMTLS, too", async () => {
    const plugin = await stage.start({ autoMtls: true });
    await plugin.configure({ key_identifier_value: "mtls" });
    await plugin.generate("x509-CA-A");
    assert.ok((plugin.host.handshake.serverCertificate?.length ?? 0) > 0);
    await plugin.stop();
  });

  it("names its services in Init, is healthy, and is not configured until it is", async () => {
    const plugin = await stage.start();
    const { pluginServiceNames } = await plugin.client(Init).init({ hostServiceNames: [MetricsService.typeName] });
    assert.deepEqual(pluginServiceNames, [
      "spire.plugin.server.keymanager.v1.KeyManager",
      "spire.service.common.config.v1.Config",
    ]);
    const health = plugin.client(Health);
    assert.equal((await health.check({ service: "plugin" })).status, ServingStatus.SERVING);
    await expectStatus(health.check({ service: "nothing-of-ours" }), "NOT_FOUND");
    await expectStatus(plugin.keyManager.getPublicKeys({}), "FAILED_PRECONDITION", "not configured");
    await plugin.stop();
  });

  it("leaves Ctrl-C to the host, and ends at SIGTERM with its socket", async () => {
    const plugin = await stage.start();
    await plugin.configure();
    await plugin.generate("x509-CA-A");
    plugin.host.signal("SIGINT");
    plugin.host.signal("SIGHUP");
    await plugin.logged(/signal ignored/, "SIGHUP");
    await plugin.host.ping();
    await signMessage(plugin, "x509-CA-A", message, "sha256");
    const { address } = plugin.host.handshake;
    plugin.host.signal("SIGTERM");
    assert.deepEqual(await plugin.host.exited, { code: 0, signal: null });
    assert.equal(existsSync(address), false);
  });

  it("ends though KMS answers no call", async () => {
    const plugin = await stage.start();
    await plugin.configure({ key_identifier_value: "hanging" });
    await plugin.generate("x509-CA-A");
    const held = ["Sign", "CreateKey"].map((operation) => stage.kms.pause({ operation, when: "before" }));
    const calls = [signMessage(plugin, "x509-CA-A", message, "sha256"), plugin.generate("x509-CA-A")];
    const endings = calls.map((call) => expectStatus(call, "UNAVAILABLE"));
    await Promise.all(held.map(({ reached }) => reached));
    const { address } = plugin.host.handshake;
    // By the same way as at Shutdown, but nothing kills it after a time: it ends while KMS still holds both calls.
    plugin.host.signal("SIGTERM");
    assert.deepEqual(await plugin.host.exited, { code: 0, signal: null });
    await Promise.all(endings);
    assert.equal(existsSync(address), false);
    for (const { release } of held) release();
  });

  it("turns Node's and the AWS SDK's own warnings into log lines", async () => {
    const plugin = await stage.start({ env: { NODE_OPTIONS: "--pending-deprecation --trace-warnings" } });
    await plugin.configure({ key_identifier_value: "warnings" });
    // The SDK warns of the Node versions it is about to leave behind.
    if (Number(process.versions.node.split(".")[0]) < 22) {
      const entry = await plugin.logged(/warning from Node\.js/, "NodeVersionSupportWarning");
      assert.equal(entry.level, "debug");
    }
    await plugin.stop();
    assert.deepEqual(plugin.strayLines, []);
  });

  it("logs as go-hclog does: six fractional digits, its own name as module, the levels an operator filters by", async () => {
    const plugin = await stage.start();
    await plugin.configure({ key_identifier_value: "logging" });
    await plugin.generate("x509-CA-A");
    await plugin.generate("x509-CA-A");
    await plugin.logged(/Key scheduled for deletion/);
    await plugin.stop();
    assert.deepEqual(plugin.strayLines, []);
    for (const line of plugin.said) {
      const entry: unknown = JSON.parse(line);
      assert.match(String(Reflect.get(Object(entry), "@timestamp")), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
      assert.equal(Reflect.get(Object(entry), "@module"), "aws_kms");
    }
    const levels = new Set(plugin.logs.map(({ level }) => level));
    assert.ok(levels.has("info") && !levels.has("error") && !levels.has("warn"), [...levels].join());
  });
});
