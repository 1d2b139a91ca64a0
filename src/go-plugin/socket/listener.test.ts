/** Who can reach a socket, what becomes of early connections, and the refusals of paths, groups and ports. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { GoPluginError, type GoPluginErrorCode } from "../errors.ts";
import { findGroupId } from "./socket-group.ts";
import { listenOnTcp } from "./tcp-socket.ts";
import { checkSocketPath, listenOnUnixSocket } from "./unix-socket.ts";

const withCode =
  (code: GoPluginErrorCode, text = "") =>
  (error: unknown) =>
    error instanceof GoPluginError && error.code === code && error.message.includes(text);

let dir: string;
before(() => {
  dir = mkdtempSync(path.join(tmpdir(), "listener-"));
});
after(() => rmSync(dir, { recursive: true, force: true }));

const modeOf = (file: string): number => statSync(file).mode & 0o777;
const onUnix = { skip: process.platform === "win32" ? "no unix sockets" : false };

describe("listenOnUnixSocket", onUnix, () => {
  it("is private from the moment the file exists, under the loosest umask", async () => {
    const mask = process.umask(0);
    try {
      const listening = listenOnUnixSocket({ dir });
      const [name = assert.fail("bound later than expected")] = readdirSync(dir);
      assert.equal(modeOf(path.join(dir, name)), 0o600);
      assert.equal(process.umask(), 0, "the process's own mask is back");
      (await listening).close();
    } finally {
      process.umask(mask);
    }
  });

  it("makes another path each time and removes it when closed", async () => {
    const first = await listenOnUnixSocket({ dir });
    const second = await listenOnUnixSocket({ dir });
    assert.notEqual(first.address, second.address);
    assert.equal(path.dirname(first.address), dir);
    first.close();
    second.close();
    assert.equal(existsSync(first.address), false);
    assert.equal(existsSync(second.address), false);
    assert.doesNotThrow(() => first.close());
  });

  it("opens to a group by name and by number", { skip: process.getuid?.() === 0 ? false : "needs root" }, async () => {
    const [name = "", , number = ""] = (
      readFileSync("/etc/group", "utf8")
        .split("\n")
        .find((line) => !line.startsWith("root:")) ?? ""
    ).split(":");
    for (const group of [name, number]) {
      const listener = await listenOnUnixSocket({ dir, group });
      assert.equal(modeOf(listener.address), 0o660);
      assert.equal(statSync(listener.address).gid, Number(number));
      listener.close();
    }
  });

  it("refuses a group that does not exist, before it binds", async () => {
    await assert.rejects(
      listenOnUnixSocket({ dir, group: "no-such-group-here" }),
      withCode("SOCKET_GROUP", "no-such-group-here"),
    );
    assert.deepEqual(readdirSync(dir), []);
  });

  it("names a directory that is not there", async () => {
    const missing = path.join(dir, "missing");
    await assert.rejects(listenOnUnixSocket({ dir: missing }), withCode("SOCKET_DIRECTORY", missing));
  });

  it("refuses a directory the handshake line cannot carry", async () => {
    const odd = path.join(dir, "a|b");
    mkdirSync(odd);
    await assert.rejects(listenOnUnixSocket({ dir: odd }), withCode("SOCKET_DIRECTORY", "PLUGIN_UNIX_SOCKET_DIR"));
    rmSync(odd, { recursive: true });
  });

  it("tells a path that is too long by its bytes, and what to set", async () => {
    const long = path.join(dir, "é".repeat(45));
    mkdirSync(long);
    await assert.rejects(
      listenOnUnixSocket({ dir: long }),
      withCode("SOCKET_PATH_TOO_LONG", "set PLUGIN_UNIX_SOCKET_DIR"),
    );
    assert.deepEqual(readdirSync(long), []);
    rmSync(long, { recursive: true });
  });

  it("hands over connections that came before the server was there, with what they sent", async () => {
    const listener = await listenOnUnixSocket({ dir });
    const client = connect(listener.address);
    client.write("early");
    await new Promise((resolve) => client.once("connect", resolve));
    await new Promise((resolve) => setImmediate(resolve));
    const text = await new Promise((resolve) => {
      listener.onConnection((socket) => socket.once("data", (data) => resolve(data.toString())));
    });
    assert.equal(text, "early");
    client.destroy();
    listener.close();
  });
});

describe("checkSocketPath", () => {
  it("allows exactly the limit", () => {
    assert.doesNotThrow(() => checkSocketPath("x".repeat(107), 107));
    assert.throws(
      () => checkSocketPath("x".repeat(108), 107),
      withCode("SOCKET_PATH_TOO_LONG", "108 bytes, and this system takes 107"),
    );
  });
});

describe("listenOnTcp", () => {
  it("takes a port of the range on the loopback, and the next when one is in use", async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
    const { port } = taken.address() as { port: number };
    const last = String(Math.min(port + 20, 65_535));
    const listener = await listenOnTcp(String(port), last);
    assert.equal(listener.network, "tcp");
    const [host, bound] = listener.address.split(":");
    assert.equal(host, "127.0.0.1");
    assert.ok(Number(bound) > port && Number(bound) <= Number(last), listener.address);
    listener.close();
    await assert.rejects(listenOnTcp(String(port), String(port)), withCode("LISTEN_FAILED", String(port)));
    taken.close();
  });

  it("lets the system choose without a range", async () => {
    const listener = await listenOnTcp();
    assert.notEqual(listener.address, "127.0.0.1:0");
    listener.close();
  });

  for (const [min, max, text] of [
    ["x", "1", "PLUGIN_MIN_PORT"],
    ["1", "70000", "PLUGIN_MAX_PORT"],
    ["-1", "5", "PLUGIN_MIN_PORT"],
    ["9", "8", "above"],
  ] as const) {
    it(`refuses the range ${min} to ${max}`, async () => {
      await assert.rejects(listenOnTcp(min, max), withCode("PORT_RANGE", text));
    });
  }
});

describe("findGroupId", () => {
  it("takes a number as it stands", () => assert.equal(findGroupId("4242"), 4242));

  it("finds root by name", onUnix, () =>
    assert.equal(findGroupId(process.platform === "darwin" ? "wheel" : "root"), 0),
  );

  for (const group of ["", "-g", "a:b", "a b", "no-such-group-here"]) {
    it(`refuses ${JSON.stringify(group)}`, () => assert.throws(() => findGroupId(group), withCode("SOCKET_GROUP")));
  }
});
