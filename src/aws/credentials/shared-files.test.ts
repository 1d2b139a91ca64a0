/** AWS's shared files: where they are, and what becomes of files that cannot be read. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { promisify } from "node:util";
import { ensureHome, readSharedFiles, sharedFilePaths } from "./shared-files.ts";

const run = promisify(execFile);

describe("the shared files' place", () => {
  it("is the home folder, or where the environment says", () => {
    assert.deepEqual(sharedFilePaths({ HOME: "/home/x" }), {
      config: "/home/x/.aws/config",
      credentials: "/home/x/.aws/credentials",
    });
    const env = { HOME: "/home/x", AWS_CONFIG_FILE: "/c", AWS_SHARED_CREDENTIALS_FILE: "/k" };
    assert.deepEqual(sharedFilePaths(env), { config: "/c", credentials: "/k" });
  });

  it("is taken for empty where a file is not there or may not be read, and not where it is no file", async () => {
    const failing = (code: string) => async () => {
      throw Object.assign(new Error(`${code}: no`), { code });
    };
    const env = { HOME: "/home/x" };
    for (const code of ["ENOENT", "EACCES", "ENOTDIR"]) {
      assert.equal((await readSharedFiles(env, failing(code))).size, 0);
    }
    await assert.rejects(
      readSharedFiles(env, failing("EIO")),
      /cannot read the shared file \/home\/x\/.aws\/c\w+: EIO/,
    );
  });

  it("is nowhere for a user without a home, and AWS's SDK is content with that", async (test) => {
    const script = `
      const { homedir } = await import("node:os");
      let home;
      try { home = homedir(); } catch (error) { home = error.message; }
      const { ensureHome, sharedFilePaths } = await import(${JSON.stringify(new URL("shared-files.ts", import.meta.url).href)});
      const paths = sharedFilePaths(process.env);
      ensureHome();
      console.log(JSON.stringify({ home, paths, after: homedir() }));`;
    const tsx = import.meta.resolve("tsx");
    const command = ["--import", tsx, "--input-type=module", "-e", script];
    const setpriv = ["--reuid=54321", "--clear-groups", process.execPath, ...command];
    let printed: string;
    try {
      printed = (await run("setpriv", setpriv, { env: { TSX_DISABLE_CACHE: "1" }, cwd: "/" })).stdout;
    } catch (error) {
      return test.skip(`no other user id can be taken here: ${(error as Error).message.split("\n", 1)[0]}`);
    }
    const { home, paths, after } = JSON.parse(printed);
    assert.match(home, /ENOENT/);
    assert.deepEqual(paths, {});
    assert.equal(after, "/nonexistent");
  });

  it("a home that is there is left alone", () => {
    const env: Record<string, string | undefined> = { HOME: "/home/x" };
    ensureHome(env);
    assert.equal(env.HOME, "/home/x");
  });
});
