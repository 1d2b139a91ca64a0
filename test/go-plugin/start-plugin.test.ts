// The minimal host: what it refuses to start, what it says when a start fails, and that nothing is left running.
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { KeyManager } from "../../src/gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
import { GoPluginError, type GoPluginErrorCode } from "../../src/go-plugin/errors.ts";
import { GrpcStatusError } from "../../src/go-plugin/grpc/status-error.ts";
import type { HclogEntry } from "../../src/go-plugin/hclog/hclog-line.ts";
import { sha256OfFile } from "../../src/go-plugin/host/file-checksum.ts";
import { type StartPluginOptions, startPlugin } from "../../src/go-plugin/host/start-plugin.ts";
import { bundlePlugins } from "./bundled-fixture.ts";

const cookie = { key: "ECHO_PLUGIN", value: "yes" };
const fake = { command: process.execPath, args: [path.resolve("test/fixtures/not-a-plugin.mjs")], cookie };
let echo: string;
let dir: string;

before(async () => {
  [echo] = await bundlePlugins("test/fixtures/echo-plugin.ts");
  dir = mkdtempSync(path.join(tmpdir(), "start-plugin-"));
});
after(() => rmSync(dir, { recursive: true, force: true }));

async function startFailure(options: StartPluginOptions): Promise<GoPluginError> {
  const outcome = await startPlugin(options).then(
    async (host) => {
      await host.kill();
      return assert.fail("started");
    },
    (error: unknown) => error,
  );
  return outcome instanceof GoPluginError ? outcome : assert.fail(String(outcome));
}

describe("startPlugin refuses, before anything is executed,", () => {
  let marker: string;
  let script: string;
  before(() => {
    marker = path.join(dir, "executed");
    script = path.join(dir, "marks.sh");
    writeFileSync(script, `#!/bin/sh\ntouch "${marker}"\n`);
    chmodSync(script, 0o755);
  });

  const refusals: [string, string, GoPluginErrorCode][] = [
    ["a file with another checksum", "0".repeat(64), "CHECKSUM_MISMATCH"],
    ["a checksum of the wrong length", "abcd", "CHECKSUM_INVALID"],
    ["a checksum that is not hexadecimal", "x".repeat(64), "CHECKSUM_INVALID"],
  ];
  for (const [what, checksum, code] of refusals) {
    it(what, async () => {
      const error = await startFailure({ command: script, checksum, cookie });
      assert.equal(error.code, code);
      assert.ok(error.message.includes(checksum));
      assert.equal(existsSync(marker), false);
    });
  }

  it("a file that cannot be read for its checksum", async () => {
    const error = await startFailure({ command: path.join(dir, "missing"), checksum: "0".repeat(64), cookie });
    assert.equal(error.code, "START_FAILED");
  });
});

describe("startPlugin says what went wrong and leaves nothing running", () => {
  it("when the file is not there, is not executable, or is a bare name that PATH would find", async () => {
    const plain = path.join(dir, "plain");
    writeFileSync(plain, "");
    for (const command of [path.join(dir, "missing"), plain, "node"]) {
      const error = await startFailure({ command, cookie });
      assert.equal(error.code, "START_FAILED", command);
      assert.ok(error.message.includes(command), error.message);
    }
  });

  it("when the plugin exits before its handshake, with the end of its stderr", async () => {
    const error = await startFailure({ ...fake, env: { EXIT_CODE: "3" } });
    assert.equal(error.code, "EXITED_BEFORE_HANDSHAKE");
    assert.match(error.message, /with code 3.*\nsome words on stderr$/);
  });

  it("when the first line is no handshake", async () => {
    const error = await startFailure({ ...fake, env: { FIRST_LINE: "hello world" } });
    assert.equal(error.code, "HANDSHAKE_LINE");
    assert.ok(error.message.includes('"hello world"'));
  });

  it("when there is no handshake in time", async () => {
    const error = await startFailure({ ...fake, startTimeoutMs: 300 });
    assert.equal(error.code, "START_TIMEOUT");
  });

  it("when AutoMTLS is on and the plugin proves nothing", async () => {
    const error = await startFailure({ ...fake, autoMtls: true, env: { FIRST_LINE: "1|1|unix|/x|grpc|" } });
    assert.equal(error.code, "SERVER_CERTIFICATE");
  });
});

describe("a started plugin", () => {
  for (const autoMtls of [false, true]) {
    it(`answers over ${autoMtls ? "AutoMTLS" : "a plain socket"}, with its checksum verified`, async () => {
      const entries: HclogEntry[] = [];
      const host = await startPlugin({
        command: echo,
        checksum: (await sha256OfFile(echo)).toUpperCase(),
        cookie,
        autoMtls,
        unixSocketDir: dir,
        multiplexGrpc: true,
        onLog: (entry) => entries.push(entry),
      });
      assert.equal(path.dirname(host.handshake.address), dir);
      assert.equal(host.handshake.multiplexing, false);
      assert.equal(host.handshake.serverCertificate !== undefined, autoMtls);
      await host.ping();
      const { signature } = await host.client(KeyManager).signData({ keyId: "x", data: Buffer.from([1, 2, 3]) });
      assert.deepEqual([...signature], [1, 2, 3]);
      const { publicKey } = await host.client(KeyManager).getPublicKey({});
      assert.equal(publicKey?.id, String(host.pid));
      assert.deepEqual(await host.shutdown(), { code: 0, signal: null, wasKilled: false });
      const echoed = entries.find(({ message }) => message === "echo");
      assert.deepEqual([echoed?.level, echoed?.module, echoed?.fields], ["info", "echo", { keyId: "x" }]);
    });
  }

  it("gets the host's environment, with changes, and the cookie", async () => {
    process.env.CLIENT_TEST_INHERITED = "1";
    process.env.CLIENT_TEST_REMOVED = "1";
    const host = await startPlugin({
      command: echo,
      cookie,
      env: { CLIENT_TEST_ADDED: "1", CLIENT_TEST_REMOVED: undefined },
    });
    const names = (await host.client(KeyManager).getPublicKeys({})).publicKeys.map(({ id }) => id);
    await host.shutdown();
    for (const name of [
      "CLIENT_TEST_INHERITED",
      "CLIENT_TEST_ADDED",
      "ECHO_PLUGIN",
      "PLUGIN_PROTOCOL_VERSIONS",
      "PLUGIN_MIN_PORT",
      "PLUGIN_MAX_PORT",
    ]) {
      assert.ok(names.includes(name), name);
    }
    for (const name of ["CLIENT_TEST_REMOVED", "PLUGIN_CLIENT_CERT", "PLUGIN_MULTIPLEX_GRPC"])
      assert.ok(!names.includes(name), name);
  });

  it("is killed at once, answers no more, and leaves no socket", async () => {
    const host = await startPlugin({ command: echo, cookie, unixSocketDir: dir });
    await host.ping();
    assert.deepEqual(await host.kill(), { code: null, signal: "SIGKILL" });
    assert.equal(existsSync(host.handshake.address), false);
    await assert.rejects(host.ping({ timeoutMs: 2000 }), (error) => error instanceof GrpcStatusError);
  });
});

it("the checksum is that of the one file", async () => {
  const { createHash } = await import("node:crypto");
  assert.equal(await sha256OfFile(echo), createHash("sha256").update(readFileSync(echo)).digest("hex"));
});
