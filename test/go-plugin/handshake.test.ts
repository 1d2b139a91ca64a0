/** What a plugin prints, and where it listens (docs/spire-plugin-protocol.md, "Launch", "Handshake"). */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { createOwnCertificate } from "../../src/go-plugin/auto-mtls.ts";
import { parseHclogLine } from "../../src/go-plugin/hclog/hclog-line.ts";
import { bundlePlugins } from "./bundled-fixture.ts";
import { type RawPlugin, startRaw } from "./raw-plugin.ts";

const cookie = { ECHO_PLUGIN: "yes" };
let echo: string;
let dir: string;

before(async () => {
  [echo] = await bundlePlugins("test/fixtures/echo-plugin.ts");
  dir = mkdtempSync(path.join(tmpdir(), "handshake-"));
});
after(() => rmSync(dir, { recursive: true, force: true }));

async function handshakeFields(env: Record<string, string>): Promise<string[]> {
  const plugin = startRaw(echo, { ...cookie, PLUGIN_UNIX_SOCKET_DIR: dir, ...env });
  const line = await plugin.handshake;
  assert.equal(plugin.stdout(), `${line}\n`, "one line, and nothing else");
  await end(plugin);
  return line.split("|");
}

async function end(plugin: RawPlugin): Promise<void> {
  plugin.child.kill("SIGTERM");
  assert.deepEqual(await plugin.exited, { code: 0, signal: null });
}

/** The one error line a plugin that cannot start leaves. */
async function startError(env: Record<string, string>): Promise<string> {
  const plugin = startRaw(echo, { ...cookie, PLUGIN_UNIX_SOCKET_DIR: dir, ...env });
  assert.deepEqual(await plugin.exited, { code: 1, signal: null });
  assert.equal(plugin.stdout(), "");
  const lines = plugin.stderr().trimEnd().split("\n");
  assert.equal(lines.length, 1, plugin.stderr());
  const entry = parseHclogLine(lines[0] ?? "");
  assert.equal(entry?.level, "error");
  return entry.message;
}

describe("without the magic cookie", () => {
  for (const env of [{ ECHO_PLUGIN: undefined }, { ECHO_PLUGIN: "no" }, { ECHO_PLUGIN: "" }]) {
    it(`a plugin says what it is and exits 1 (${env.ECHO_PLUGIN ?? "unset"})`, async () => {
      const plugin = startRaw(echo, env);
      assert.deepEqual(await plugin.exited, { code: 1, signal: null });
      assert.equal(plugin.stdout(), "");
      assert.match(plugin.stderr(), /^This is a plugin\. .+\n$/);
    });
  }
});

describe("the handshake line", () => {
  it("has six fields, the address a private socket under PLUGIN_UNIX_SOCKET_DIR", async () => {
    const plugin = startRaw(echo, { ...cookie, PLUGIN_UNIX_SOCKET_DIR: dir, PLUGIN_PROTOCOL_VERSIONS: "1" });
    const [core, app, network, address = "", protocol, ...rest] = (await plugin.handshake).split("|");
    assert.deepEqual([core, app, network, protocol, rest], ["1", "1", "unix", "grpc", [""]]);
    assert.equal(path.dirname(address), dir);
    assert.ok(statSync(address).isSocket());
    assert.equal(statSync(address).mode & 0o777, 0o600);
    await end(plugin);
    assert.equal(existsSync(address), false, "removed on a clean stop");
  });

  it("uses the temporary folder when no directory is given", async () => {
    const [, , , address = ""] = await handshakeFields({ PLUGIN_UNIX_SOCKET_DIR: "", TMPDIR: dir });
    assert.equal(path.dirname(address), dir);
  });

  it("names a fresh socket each time", async () => {
    const first = await handshakeFields({});
    const second = await handshakeFields({});
    assert.notEqual(first[3], second[3]);
  });

  it("gives the group access when PLUGIN_UNIX_SOCKET_GROUP names one", {
    skip: process.getuid?.() === 0 ? false : "needs root",
  }, async () => {
    const plugin = startRaw(echo, { ...cookie, PLUGIN_UNIX_SOCKET_DIR: dir, PLUGIN_UNIX_SOCKET_GROUP: "4242" });
    const address = (await plugin.handshake).split("|")[3] ?? "";
    assert.equal(statSync(address).mode & 0o777, 0o660);
    assert.equal(statSync(address).gid, 4242);
    await end(plugin);
  });

  it("has a seventh field, false, when PLUGIN_MULTIPLEX_GRPC is set, to whatever value", async () => {
    for (const value of ["true", "false", "1"]) {
      const fields = await handshakeFields({ PLUGIN_MULTIPLEX_GRPC: value });
      assert.deepEqual(fields.slice(4), ["grpc", "", "false"]);
    }
  });

  it("says the highest common protocol version, and the lowest to a host that does not negotiate", async () => {
    assert.equal((await handshakeFields({ PLUGIN_PROTOCOL_VERSIONS: "1,2,3" }))[1], "2");
    assert.equal((await handshakeFields({ PLUGIN_PROTOCOL_VERSIONS: "" }))[1], "1");
  });

  it("carries the certificate under AutoMTLS as unpadded base64 of DER", async () => {
    const { certificatePem } = await createOwnCertificate();
    const fields = await handshakeFields({ PLUGIN_CLIENT_CERT: certificatePem });
    assert.match(fields[5] ?? "", /^[A-Za-z0-9+/]{50,}$/);
    assert.equal(new X509Certificate(Buffer.from(fields[5] ?? "", "base64")).checkHost("localhost"), "localhost");
  });

  it("names a TCP port of the host's range where the plugin listens on TCP, as on Windows", async () => {
    const fields = await handshakeFields({ ECHO_NETWORK: "tcp", PLUGIN_MIN_PORT: "20500", PLUGIN_MAX_PORT: "20600" });
    assert.equal(fields[2], "tcp");
    const port = Number(/^127\.0\.0\.1:(\d+)$/.exec(fields[3] ?? "")?.[1]);
    assert.ok(port >= 20_500 && port <= 20_600, fields[3]);
  });
});

describe("a plugin that cannot start leaves one error line and exits 1", () => {
  it("when no protocol version is common", async () => {
    assert.match(await startError({ PLUGIN_PROTOCOL_VERSIONS: "7" }), /versions "7".*speaks 2, 1/);
  });

  it("when the socket directory is not there", async () => {
    assert.match(await startError({ PLUGIN_UNIX_SOCKET_DIR: path.join(dir, "none") }), /no such directory/);
  });

  it("when the socket path would be too long", async () => {
    const long = mkdtempSync(path.join(dir, "x".repeat(90)));
    assert.match(
      await startError({ PLUGIN_UNIX_SOCKET_DIR: long }),
      /bytes, and this system takes \d+; set PLUGIN_UNIX_SOCKET_DIR/,
    );
    assert.deepEqual(readdirSync(long), []);
  });

  it("when the socket group is unknown", async () => {
    assert.match(await startError({ PLUGIN_UNIX_SOCKET_GROUP: "no-such-group" }), /unknown group "no-such-group"/);
  });

  it("when PLUGIN_CLIENT_CERT is no certificate", async () => {
    assert.match(
      await startError({ PLUGIN_CLIENT_CERT: "garbage" }),
      /PLUGIN_CLIENT_CERT is set, and is no certificate/,
    );
  });

  it("when the port range is wrong", async () => {
    assert.match(
      await startError({ ECHO_NETWORK: "tcp", PLUGIN_MIN_PORT: "9", PLUGIN_MAX_PORT: "8" }),
      /PLUGIN_MIN_PORT 9 is above/,
    );
  });
});
