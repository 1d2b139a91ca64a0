/**
 * The script form where services run: a user without name and home, nothing in the environment but a PATH, few open
 * files, systemd's hardening; on the floors of Node.js and the newest of each line. Loaded by go-plugin's own host; it signs.
 */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import type { Emulator } from "../../src/kms-emulator/index.ts";
import { startTestEmulator } from "../fixtures/test-emulator.ts";
import {
  buildGoHost,
  failedSteps,
  GoUnavailable,
  newestGoPlugin,
  type Report,
  runHost,
} from "../interop/go-host/go-host.ts";
import { nodeFromNpm } from "../interop/node-versions/npm-node.ts";
import { asStranger, hardened, hindranceOf, layOut, withOpenFiles, withoutExecutableMemory } from "./server-site.ts";

/** Where the hardened service finds its folder: there on every system, and covered only for this process. */
const mountPoint = "/mnt";
/** The two floors of `engines` in package.json, and the newest release of each line that users run. */
const lines = ["20.19.0", "22.12.0", "20", "22", "24", "26"];

let emulator: Emulator;
let folder: string;
let host: string;
let hindrance: string | undefined;

before(async () => {
  if (process.platform !== "linux") hindrance = "made for Linux";
  else if (process.getuid?.() !== 0) hindrance = "another user needs root";
  else hindrance = hindranceOf(asStranger({ PATH: "/usr/bin:/bin" }));
  if (hindrance !== undefined) return;
  try {
    host = (await buildGoHost({ goPlugin: newestGoPlugin })).binary;
  } catch (error) {
    if (!(error instanceof GoUnavailable)) throw error;
    hindrance = error.message;
    return;
  }
  folder = await mkdtemp(join(tmpdir(), "script-form-"));
  await chmod(folder, 0o755);
  emulator = await startTestEmulator({ region: "us-east-2" });
});
after(async () => {
  await emulator?.close();
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

interface Place {
  readonly name?: string;
  readonly node?: string;
  /** Where the site is seen. */
  readonly at?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** More options for setpriv. */
  readonly privileges?: readonly string[];
  /** What runs the service's own user, made for the site's folder. */
  readonly around?: (folder: string) => readonly string[];
}

/** Runs a host with the plugin in such a place; what the report must say is the caller's. */
async function loadIn({
  name = "aws_kms",
  node = process.execPath,
  at,
  env,
  privileges,
  around,
}: Place): Promise<Report> {
  const site = await mkdtemp(join(folder, "site-"));
  try {
    const { hostArguments } = layOut(site, { host, node, ...(at === undefined ? {} : { at }) });
    const environment = {
      PATH: `${join(at ?? site, "bin")}:/usr/bin:/bin`,
      AWS_ENDPOINT_URL: emulator.endpoint,
      ...env,
    };
    const [command = "", ...args] = [
      ...(around?.(site) ?? []),
      ...asStranger(environment, privileges),
      ...hostArguments(name),
    ];
    const report = await runHost(command, args);
    if (report.ok && name === "aws_kms") {
      assert.match(await readFile(join(site, "state/aws_kms_id"), "utf8"), /^[0-9a-f-]{36}\n?$/);
    }
    return report;
  } finally {
    await rm(site, { recursive: true, force: true });
  }
}

async function assertSigns(t: TestContext, place: Place): Promise<void> {
  if (hindrance !== undefined) return t.skip(hindrance);
  const report = await loadIn(place);
  assert.deepEqual(failedSteps(report), []);
  assert.equal(report.steps.find(({ step }) => step === "sign")?.ok, true);
  const alarming = report.log.filter(({ level }) => ["error", "warn"].includes(level));
  assert.deepEqual(
    alarming.filter(({ message }) => !message.startsWith("Server id file not found: made a new server id")),
    [],
  );
}

describe("the script form, as a user without name and home, with nothing but a PATH", { timeout: 900_000 }, () => {
  for (const name of ["aws_kms", "kms"]) it(`${name} signs`, (t) => assertSigns(t, { name }));

  it("signs with 64 open files", (t) => assertSigns(t, { around: () => withOpenFiles(64) }));

  it("signs with a read-only root, no homes, a /tmp of its own, no new privileges and no capabilities", (t) => {
    if (!existsSync(mountPoint)) return t.skip(`there is no ${mountPoint}`);
    const noMounts = hindranceOf(["unshare", "--mount", "/bin/sh", "-ec", 'mount -t tmpfs tmpfs /tmp; exec "$0"']);
    if (noMounts !== undefined) return t.skip(noMounts);
    return assertSigns(t, {
      at: mountPoint,
      around: (site) => [...hardened(site, mountPoint), ...withOpenFiles(64)],
      privileges: ["--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all"],
    });
  });

  for (const line of lines) {
    it(`signs on Node ${line}`, (t) => {
      const node = nodeFromNpm(line, t);
      return node === undefined ? undefined : assertSigns(t, { node });
    });
  }
});

describe("the script form where memory may not become executable (MemoryDenyWriteExecute)", {
  timeout: 900_000,
}, () => {
  const around = () => withoutExecutableMemory;
  const skipReason = () => hindrance ?? hindranceOf(withoutExecutableMemory);

  it("ends at once, and the host says what docs/install.md has under that message", async (t) => {
    const reason = skipReason();
    if (reason !== undefined) return t.skip(reason);
    const report = await loadIn({ around });
    const [load, ...others] = failedSteps(report);
    assert.deepEqual(others, []);
    // Which of the two go-plugin says depends on whether it sees the end of stdout or of the process first.
    const [text = ""] =
      /plugin exited before we could connect|Failed to read any lines from plugin's stdout/.exec(load ?? "") ?? [];
    assert.notEqual(text, "", load);
    const fatal = "Fatal error in , line 0";
    const levels = report.log.filter(({ message }) => message.includes(fatal)).map(({ level }) => level);
    assert.ok(
      levels.every((level) => level === "debug"),
      levels.join(),
    );
    const page = await readFile(resolve(import.meta.dirname, "../../docs/install.md"), "utf8");
    const row = page.split("\n").find((line) => line.startsWith("|") && line.includes(fatal)) ?? "";
    assert.ok(row.includes(`\`${text}\``) && row.includes("MemoryDenyWriteExecute"), row);
  });

  for (const line of ["20.19.0", "24", "26"]) {
    it(`signs on Node ${line} with NODE_OPTIONS=--jitless`, (t) => {
      const reason = skipReason();
      if (reason !== undefined) return t.skip(reason);
      const node = nodeFromNpm(line, t);
      return node === undefined ? undefined : assertSigns(t, { node, around, env: { NODE_OPTIONS: "--jitless" } });
    });
  }
});
