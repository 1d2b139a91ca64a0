/** The plugin in this process, over a real socket, among processes that are made up. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, it } from "node:test";
import { WorkloadAttestor } from "spire-plugin-sdk";
import { createTestHost } from "spire-plugin-sdk/testing";
import { createPlugin } from "../src/plugin.ts";

const host = createTestHost();
const proc = mkdtempSync(path.join(tmpdir(), "proc-"));
after(async () => {
  await host.stop();
  rmSync(proc, { recursive: true, force: true });
});

async function attest(pid: number, groups?: string): Promise<string[]> {
  if (groups !== undefined) {
    mkdirSync(path.join(proc, String(pid)), { recursive: true });
    writeFileSync(path.join(proc, String(pid), "cgroup"), groups);
  }
  const plugin = await host.load(createPlugin());
  await plugin.configure(`proc_path = "${proc}"`);
  return (await plugin.client(WorkloadAttestor).attest({ pid })).selectorValues;
}

it("tells unit and slices", async () => {
  assert.deepEqual(await attest(10, "0::/system.slice/nginx.service\n"), ["unit:nginx.service", "slice:system.slice"]);
});

it("tells template and instance", async () => {
  assert.deepEqual(await attest(11, "0::/system.slice/system-getty.slice/getty@tty1.service\n"), [
    "unit:getty@tty1.service",
    "template:getty@.service",
    "instance:tty1",
    "slice:system.slice",
    "slice:system-getty.slice",
  ]);
});

it("believes nothing below the first unit, which its owner names as it likes", async () => {
  const groups = "0::/user.slice/user-1000.slice/user@1000.service/system.slice/nginx.service\n";
  const selectors = await attest(12, groups);
  assert.ok(selectors.includes("unit:user@1000.service"));
  assert.ok(!selectors.some((selector) => selector.includes("nginx") || selector === "slice:system.slice"));
});

it("reads the mixed hierarchies of older machines", async () => {
  const groups = "12:cpu,cpuacct:/other.service\n1:name=systemd:/system.slice/db.service\n0::/\n";
  assert.deepEqual(await attest(13, groups), ["unit:db.service", "slice:system.slice"]);
});

it("has nothing to say of a process outside of systemd, and fails for one that is not there", async () => {
  assert.deepEqual(await attest(14, "0::/docker/abc\n"), []);
  await assert.rejects(attest(15), /cannot be read: the process has ended/);
});

it("tells what is wrong with its settings", async () => {
  const plugin = await host.load(createPlugin());
  const { notes } = await plugin.validate('proc_path = "proc"');
  assert.equal(notes.length, 1);
  assert.match(notes[0] ?? "", /^proc_path: .* \(line 1\)$/);
});
