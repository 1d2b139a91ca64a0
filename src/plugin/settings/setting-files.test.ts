/** Files that settings name: too large, growing, missing, on mounts that hang. */
import assert from "node:assert/strict";
import type { Stats } from "node:fs";
import { lstat, mkdtemp, open, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { settled, VirtualTime } from "../../../test/simulation/virtual-time.ts";
import { systemClock } from "../system-clock.ts";
import { type FileSystem, SettingFiles } from "./setting-files.ts";

const real: FileSystem = { stat, lstat, readlink, open };
const fileAt = (path: string, maxBytes = 10) => ({ setting: "key_policy_file", path, maxBytes, advice: "correct it" });

describe("files that settings name", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "setting-files-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const place = async (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    await writeFile(path, content);
    return fileAt(path);
  };

  it("are read whole up to their limit, without a byte order mark", async () => {
    const files = new SettingFiles({ clock: systemClock });
    assert.equal(await files.read(await place("good", "0123456789")), "0123456789");
    assert.equal(await files.read(await place("mark", "\ufeffx")), "x");
    assert.equal(await files.read(await place("empty", "")), "");
    assert.equal(await files.read(fileAt(join(folder, "absent"))), undefined);
    await assert.rejects(files.read(await place("long", "01234567890")), /it has 11 bytes, and at most 10 are read/);
    await assert.rejects(files.read(await place("noise", Uint8Array.of(0xff, 0xfe, 0x41))), /it is no UTF-8 text/);
  });

  it("are not read on when they grow, or do not tell their size", async () => {
    const file = await place("growing", "x".repeat(1_000));
    const claims = async (path: string) => Object.assign(await stat(path), { size: 0 }) as Stats;
    let left = 3;
    const fileSystem: FileSystem = {
      ...real,
      stat: claims,
      async open(path, flags) {
        const handle = await open(path, flags);
        return {
          stat: () => claims(path),
          // A few bytes at a time, as a file on a network gives them.
          read: (buffer, offset, length, position) => {
            assert.ok(left-- >= 0, "reads on and on");
            return handle.read(buffer, offset, Math.min(length, 4), position);
          },
          close: () => handle.close(),
        };
      },
    };
    const files = new SettingFiles({ clock: systemClock, fileSystem });
    await assert.rejects(files.read(file), /it has 11 bytes, and at most 10 are read/);
  });

  /** A file system that answers when it is let. */
  function hung() {
    const waiting: (() => void)[] = [];
    let asked = 0;
    const fileSystem: FileSystem = {
      ...real,
      async stat(path) {
        asked++;
        await new Promise<void>((resolve) => waiting.push(resolve));
        return stat(path);
      },
    };
    const time = new VirtualTime({ now: () => new Date(0), advance: () => undefined });
    const files = new SettingFiles({ clock: time.clockFor(undefined, () => 0), fileSystem });
    const release = () => {
      for (const go of waiting.splice(0)) go();
    };
    return { files, time, release, asked: () => asked };
  }

  it("on a mount that hangs are given up after five seconds, and no second thread waits for them", async () => {
    const { files, time, release, asked } = hung();
    const file = await place("hung", "text");
    const refused = assert.rejects(files.read(file), /cannot be read: the file system does not answer within 5 s/);
    await time.run(5_000);
    await refused;
    await assert.rejects(files.read(file), /has not answered an earlier attempt yet \(a hung mount\?\); correct it/);
    assert.equal(asked(), 1);
    release();
    // The real file system takes its own time.
    for (let turns = 0; turns < 1_000 && asked() === 1; turns++) {
      await settled();
      const again = files.read(file).catch((error: unknown) => error);
      if (asked() === 1) continue;
      release();
      assert.equal(await again, "text");
    }
    assert.equal(asked(), 2, "it is asked again once it has answered");
  });

  it("on several mounts that hang take two threads, and not all that there are", async () => {
    const { files, time, asked } = hung();
    const outcomes = ["a", "b"].map((name) => assert.rejects(files.read(fileAt(join(folder, name))), /within 5 s/));
    await time.run(5_000);
    await Promise.all(outcomes);
    await assert.rejects(files.read(fileAt(join(folder, "c"))), /does not answer for other files/);
    assert.equal(asked(), 2);
  });
});
