/** Sockets that plugins left behind: which are swept, and which are left alone. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { removeDeadSockets } from "./dead-sockets.ts";

const hour = 3_600_000;

describe("sockets of dead plugins", { skip: process.platform === "win32" && "no unix sockets" }, () => {
  let dir = "";
  before(() => {
    dir = mkdtempSync(path.join(tmpdir(), "dead-"));
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  /** Sockets as a process leaves them that is killed while it listens. */
  async function leave(names: readonly string[]): Promise<void> {
    const paths = JSON.stringify(names.map((name) => path.join(dir, name)));
    const text = `let n = ${paths}; for (const p of n) require("net").createServer().listen(p, () => { n.pop(); if (n.length === 0) console.log("up") })`;
    const child = spawn(process.execPath, ["-e", text], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "close");
  }

  it("are removed; what may be in use, young, or not ours stays", async () => {
    const dead = ["plugin4000001-abc", "plugin4000002-0123456789"];
    const others = ["plugin123456789", "plugin-x", "plugin4000001-ABC", "plugin4000001-abc.bak", "xplugin4000001-abc"];
    const busy = `plugin${process.pid}-dead`;
    await leave([...dead, ...others, busy]);
    writeFileSync(path.join(dir, "plugin4000003-file"), "");
    symlinkSync(dead[0] ?? "", path.join(dir, "plugin4000004-link"));
    const listening = createServer().listen(path.join(dir, "plugin4000005-up"));
    await once(listening, "listening");
    const kept = [...others, busy, "plugin4000003-file", "plugin4000004-link", "plugin4000005-up"].sort();
    const isAlive = (pid: number) => pid === process.pid;

    assert.deepEqual(await removeDeadSockets(dir, { now: () => Date.now(), isAlive }), [], "they are too young");
    const removed = await removeDeadSockets(dir, { now: () => Date.now() + hour, isAlive });
    assert.deepEqual([...removed].sort(), dead);
    assert.deepEqual(readdirSync(dir).sort(), kept);
    listening.close();
  });

  it("a process that is there keeps its socket", async () => {
    const name = `plugin${process.ppid}-quiet`;
    await leave([name]);
    await removeDeadSockets(dir, { now: () => Date.now() + hour });
    assert.ok(readdirSync(dir).includes(name));
  });

  it("a folder that is not there is no trouble", async () => {
    assert.deepEqual(await removeDeadSockets(path.join(dir, "none"), { now: () => 0 }), []);
  });
});
