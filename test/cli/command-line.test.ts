/** The command line as a person meets it: the built file, its output, its exit codes. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const command = `${root}dist/bin/spire-aws-kms`;

function run(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", timeout: 300_000, cwd: "/" });
  return { status, stdout, stderr };
}

const commands = ["demo", "emulator", "keys", "doctor", "prune", "cancel-deletion", "policy", "checksum", "migrate"];

describe("spire-aws-kms", () => {
  it("shows what it can do", () => {
    const { status, stdout } = run("--help");
    assert.equal(status, 0);
    for (const name of commands) assert.match(stdout, new RegExp(`^ +${name}\\b`, "m"));
  });

  it("tells the package's version", () => {
    const { version } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { version: string };
    assert.deepEqual(run("--version"), { status: 0, stdout: `${version}\n`, stderr: "" });
  });

  it("refuses a command that does not exist, on stderr", () => {
    const { status, stdout, stderr } = run("emulate");
    assert.notEqual(status, 0);
    assert.equal(stdout, "");
    assert.match(stderr, /unknown command 'emulate'/);
    assert.match(stderr, /emulator/, "a suggestion");
  });

  it("shows every command's options", () => {
    for (const name of commands) {
      const { status, stdout } = run(name, "--help");
      assert.equal(status, 0);
      assert.match(stdout, new RegExp(`Usage: spire-aws-kms ${name}`));
    }
  });
});

describe("spire-aws-kms demo", () => {
  it("passes all its checks and says how many", () => {
    const { status, stdout, stderr } = run("demo");
    assert.equal(stderr, "");
    assert.equal(status, 0, stdout);
    const [, count] = /^demo: (\d+) checks passed$/m.exec(stdout) ?? [];
    const lines = stdout.split("\n");
    assert.equal(Number(count), lines.filter((line) => line.startsWith("  ok ")).length);
    assert.ok(Number(count) >= 18);
    assert.match(stdout, /x509-CA-A is an ec-p256 key/);
    assert.match(stdout, /JWT-Signer-B is an rsa-4096 key/);
    assert.match(stdout, /\(no alias\) +ECC_NIST_P256 +PendingDeletion/);
  });

  /** Runs it in a temporary folder of its own until a line is there, then does that to it. */
  async function interrupt(line: string, end: (child: ReturnType<typeof spawn>) => void) {
    const folder = mkdtempSync(join(tmpdir(), "demo-"));
    try {
      const child = spawn(command, ["demo"], {
        env: { ...process.env, TMPDIR: folder },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let stdout = "";
      let stderr = "";
      let isOver = false;
      child.stdout.on("data", (data: Buffer) => {
        stdout += data.toString();
        if (isOver || !stdout.includes(line)) return;
        isOver = true;
        end(child);
      });
      child.stderr.on("data", (data: Buffer) => {
        stderr += data.toString();
      });
      const code = await new Promise((resolve) => child.once("close", resolve));
      return { code, stderr, left: readdirSync(folder) };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  for (const line of ["The embedded KMS is running", "x509-CA-A is an ec-p256 key", "In KMS now"]) {
    it(`leaves nothing and shows no stack when Ctrl-C is pressed at "${line}"`, async () => {
      assert.deepEqual(await interrupt(line, (child) => child.kill("SIGINT")), { code: 130, stderr: "", left: [] });
    });
  }

  it("ends when its reader has read enough, as in demo | head", async () => {
    const ended = await interrupt("The embedded KMS is running", (child) => child.stdout?.destroy());
    assert.deepEqual(ended, { code: 141, stderr: "", left: [] });
  });

  it("says what is missing without a plugin", () => {
    const { status, stderr } = run("demo", "--plugin", "/nowhere/aws_kms");
    assert.equal(status, 1);
    assert.match(stderr, /there is no plugin at \/nowhere\/aws_kms\nhint: npm run build/);
  });

  it("fails when the plugin does", () => {
    const { status, stdout } = run("demo", "--plugin", "/bin/false");
    assert.equal(status, 1);
    assert.match(stdout, /FAIL the demonstration broke off: .*\n\ndemo: 0 checks passed, 1 failed/);
  });
});
