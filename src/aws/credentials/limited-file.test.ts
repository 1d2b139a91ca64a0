/** Files that hold credentials: pipes, devices, large files and dead mounts. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { isKmsError } from "../../key-manager/ports.ts";
import { limitedFiles } from "./limited-file.ts";

describe("files that hold credentials", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "limited-file-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("are read whole; /dev/null is an empty one", async () => {
    const read = limitedFiles();
    await writeFile(join(folder, "file"), "text\u00e9");
    assert.equal(await read(join(folder, "file")), "text\u00e9");
    assert.equal(await read("/dev/null"), "");
    assert.equal(await read("/proc/self/comm").then((text) => text !== ""), true, "files whose length is not told");
  });

  it("that are no files, or too large, are refused by name", async () => {
    const read = limitedFiles();
    const fifo = join(folder, "fifo");
    await promisify(execFile)("mkfifo", [fifo]);
    await assert.rejects(read(fifo), { message: `${fifo} is not a regular file` });
    await assert.rejects(read(folder), { message: `${folder} is not a regular file` });
    const large = join(folder, "large");
    await writeFile(large, "");
    await truncate(large, 10 ** 9);
    await assert.rejects(read(large), { message: `${large} has more than 4194304 bytes` });
    await assert.rejects(read(join(folder, "none")), { code: "ENOENT" });
  });

  it("that hang are given up, and not begun again while they hang", async () => {
    const fires: (() => void)[] = [];
    let begun = 0;
    const startTimer = (_ms: number, fire: () => void) => {
      fires.push(fire);
      return () => undefined;
    };
    const read = limitedFiles(startTimer, () => {
      begun++;
      return new Promise(() => {});
    });
    for (const _ of [1, 2]) {
      const reading = read("/mnt/dead/token");
      fires.at(-1)?.();
      await assert.rejects(reading, (error) => isKmsError(error, "TIMEOUT"));
    }
    assert.equal(begun, 1);
  });
});
