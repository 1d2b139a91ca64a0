/** How a plugin ends, and what does not end it (docs/spire-plugin-protocol.md, "Launch", "End of a plugin"). */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { KeyManager } from "../../src/gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
import { GrpcStatusError } from "../../src/go-plugin/grpc/status-error.ts";
import { type HclogEntry, parseHclogLine } from "../../src/go-plugin/hclog/hclog-line.ts";
import { type PluginHost, type StartPluginOptions, startPlugin } from "../../src/go-plugin/host/start-plugin.ts";
import { bundlePlugins } from "./bundled-fixture.ts";
import { startRaw } from "./raw-plugin.ts";

const cookie = { key: "ECHO_PLUGIN", value: "yes" };
let echo: string;
let slow: string;
let throws: string;
/** For the sockets of this file's plugins alone: what others left in the common folder would be swept, and told. */
let ownFolder: string;

before(async () => {
  ownFolder = await mkdtemp(path.join(tmpdir(), "life-cycle-"));
  [echo, slow, throws] = await bundlePlugins(
    "test/fixtures/echo-plugin.ts",
    "test/fixtures/slow-shutdown.ts",
    "test/fixtures/throws.ts",
  );
});

after(() => rm(ownFolder, { recursive: true, force: true }));

const entries: HclogEntry[] = [];
async function start(command: string, options: Partial<StartPluginOptions> = {}): Promise<PluginHost> {
  entries.length = 0;
  const env = { TMPDIR: ownFolder, ...options.env };
  const host = await startPlugin({ command, cookie, onLog: (entry) => entries.push(entry), ...options, env });
  // The plugin may still be loading: it has announced itself before.
  await host.ping({ timeoutMs: 10_000 });
  return host;
}

/** Whether a process is there; a zombie is not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function until(condition: () => boolean, withinMs: number, what: string): Promise<void> {
  const limit = Date.now() + withinMs;
  while (!condition()) {
    if (Date.now() > limit) assert.fail(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("Shutdown", () => {
  it("is answered, ends the process with code 0, runs its stop hook and removes the socket", async () => {
    let printed = "";
    const host = await start(echo, {
      onStdio: (_channel, data) => {
        printed += data.toString();
      },
    });
    assert.ok(existsSync(host.handshake.address));
    assert.deepEqual(await host.shutdown(), { code: 0, signal: null, wasKilled: false });
    assert.equal(existsSync(host.handshake.address), false);
    assert.deepEqual(
      entries.map(({ level, fields }) => [level, fields]),
      [["debug", { reason: "Shutdown" }]],
    );
    assert.equal(printed, "stopped\n");
  });

  it("ends the process inside two seconds though the stop hook and a call hang", async () => {
    const host = await start(slow);
    const call = host.client(KeyManager).signData({});
    call.catch(() => undefined);
    assert.deepEqual(await host.shutdown(), { code: 0, signal: null, wasKilled: false });
    assert.equal(existsSync(host.handshake.address), false);
    await assert.rejects(call, (error) => error instanceof GrpcStatusError);
    assert.equal(entries.at(-1)?.level, "warn");
  });
});

describe("signals", () => {
  it("SIGTERM stops cleanly", async () => {
    const host = await start(echo);
    host.signal("SIGTERM");
    assert.deepEqual(await host.exited, { code: 0, signal: null });
    assert.equal(existsSync(host.handshake.address), false);
    await host.kill();
  });

  it("SIGTERM stops a plugin whose own end hangs", async () => {
    const host = await start(slow);
    host.signal("SIGTERM");
    assert.deepEqual(await host.exited, { code: 0, signal: null });
    await host.kill();
  });

  it("SIGINT and SIGHUP, which a terminal sends to the whole group, leave it serving", async () => {
    const host = await start(echo);
    for (const signal of ["SIGINT", "SIGHUP", "SIGINT"] as const) {
      host.signal(signal);
      await host.ping({ timeoutMs: 5000 });
    }
    await until(() => entries.length === 3, 5000, "three log lines");
    assert.deepEqual(
      entries.map(({ level, fields }) => [level, fields.signal]),
      [
        ["trace", "SIGINT"],
        ["trace", "SIGHUP"],
        ["trace", "SIGINT"],
      ],
    );
    assert.equal((await host.shutdown()).wasKilled, false);
  });

  it("SIGUSR1 opens no debugger", async () => {
    const lines: string[] = [];
    const host = await start(echo, { onStderrLine: (line) => lines.push(line) });
    host.signal("SIGUSR1");
    await until(() => lines.length > 0, 5000, "a line on stderr");
    await host.shutdown();
    assert.equal(entries[0]?.fields.signal, "SIGUSR1");
    for (const line of lines) assert.ok(parseHclogLine(line), line);
  });
});

describe("a host that goes away", () => {
  it("takes the plugin with it when it is killed", async () => {
    const host = startRaw(process.execPath, { ECHO_PLUGIN: "yes" }, [
      path.resolve("test/fixtures/dying-host.mjs"),
      echo,
    ]);
    const { pid, handshake } = JSON.parse(await host.handshake) as { pid: number; handshake: string };
    const address = handshake.split("|")[3] ?? "";
    assert.ok(isAlive(pid) && existsSync(address));
    host.child.kill("SIGKILL");
    await until(() => !existsSync(address), 5000, "the socket is removed");
    await until(() => !isAlive(pid), 5000, "the plugin has ended");
  });

  it("takes the plugin with it when its log is not read", async () => {
    const plugin = startRaw(echo, { ECHO_PLUGIN: "yes" });
    await plugin.handshake;
    plugin.child.stderr?.destroy();
    // Makes it log; it finds the pipe broken.
    plugin.child.kill("SIGHUP");
    assert.deepEqual(await plugin.exited, { code: 0, signal: null });
  });

  it("ends a plugin that finds its stdout closed at the handshake", async () => {
    const plugin = startRaw(echo, { ECHO_PLUGIN: "yes" });
    plugin.child.stdout?.destroy();
    assert.equal((await plugin.exited).code, 1);
  });
});

describe("a crash", () => {
  for (const [failBy, message, origin] of [
    ["exception", "nothing catches this; caused by Error: deep down", "uncaughtException"],
    ["rejection", "nothing awaits this", "unhandledRejection"],
  ] as const) {
    it(`by an ${failBy} is one error line, exit code 1, and no socket left`, async () => {
      const lines: string[] = [];
      const host = await start(throws, { env: { FAIL_BY: failBy }, onStderrLine: (line) => lines.push(line) });
      host
        .client(KeyManager)
        .signData({})
        .catch(() => undefined);
      assert.deepEqual(await host.exited, { code: 1, signal: null });
      assert.equal(lines.length, 1, lines.join("\n"));
      assert.equal(entries[0]?.level, "error");
      assert.equal(entries[0]?.fields.error, `Error: ${message}`);
      assert.equal(entries[0]?.fields.origin, origin);
      assert.equal(existsSync(host.handshake.address), false);
      await host.kill();
    });
  }

  it("by some code's process.exit removes the socket too", async () => {
    const host = await start(throws, { env: { FAIL_BY: "exit" } });
    host
      .client(KeyManager)
      .signData({})
      .catch(() => undefined);
    assert.deepEqual(await host.exited, { code: 7, signal: null });
    assert.equal(existsSync(host.handshake.address), false);
    await host.kill();
  });

  it("while services load is one error line and exit code 1", async () => {
    const host = await startPlugin({
      command: throws,
      cookie,
      env: { FAIL_BY: "load" },
      onLog: (entry) => entries.push(entry),
    });
    assert.deepEqual(await host.exited, { code: 1, signal: null });
    assert.equal(entries.at(-1)?.message, "the plugin cannot start: cannot load");
    await assert.rejects(
      host.ping({ timeoutMs: 5000 }),
      (error) => error instanceof GrpcStatusError && error.code === "UNAVAILABLE",
    );
    await host.kill();
  });
});
