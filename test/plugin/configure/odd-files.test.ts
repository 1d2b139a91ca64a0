/** Every file that a setting names × every kind of odd file × Validate, the first Configure, and a later one. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { GrpcStatusError } from "../../../src/plugin-sdk/index.ts";
import { reportTable } from "../../chaos/report.ts";
import { signMessage } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

const uuid = "0b0f4e0c-5ad5-4a1e-9a3e-0d4c5a6b7c8d";
const policy = JSON.stringify({ Version: "2012-10-17", Statement: [] });
const settings = ["key_identifier_file", "key_metadata_file", "key_policy_file"] as const;

interface OddFile {
  readonly title: string;
  /** Makes the file at `path`; `good` is what the setting would take. @returns another path in its place */
  readonly make: (path: string, good: string) => Promise<unknown>;
  /** What is told of it; undefined: it is taken. */
  readonly told: RegExp | undefined;
  /** Another word for a policy, which must be JSON. */
  readonly toldOfPolicy?: RegExp;
  readonly skip?: string | false;
}

const isRoot = process.getuid?.() === 0;
const sockets: Server[] = [];

const oddFiles: readonly OddFile[] = [
  {
    title: "a named pipe",
    make: async (path) => void execFileSync("mkfifo", [path]),
    told: /it is a named pipe, not a file/,
  },
  {
    title: "a socket",
    make: (path) =>
      new Promise<void>((resolve) => {
        sockets.push(createServer().listen(path, resolve));
      }),
    told: /it is a socket, not a file/,
  },
  { title: "/dev/zero", make: async () => "/dev/zero", told: /it is a device, not a file/ },
  { title: "a folder", make: (path) => mkdir(path), told: /EISDIR, it is a folder/ },
  { title: "below a file", make: async () => "./plain/below", told: /ENOTDIR, it lies below something/ },
  { title: "in a missing folder", make: async () => "./no/folder/here", told: /ENOENT, there is no/ },
  { title: "empty", make: (path) => writeFile(path, ""), told: /holds no UUID/, toldOfPolicy: /is not valid JSON/ },
  {
    title: "huge",
    make: (path) => writeFile(path, Buffer.alloc(8 * 1024 * 1024, " ")),
    told: /it has 8388608 bytes, and at most \d+ are read/,
  },
  {
    title: "without an end (/proc/self/pagemap)",
    make: async () => "/proc/self/pagemap",
    told: /at most \d+ are read|UTF-8|E[A-Z]+/,
    skip: process.platform !== "linux" && "no /proc",
  },
  { title: "with a byte order mark", make: (path, good) => writeFile(path, `\ufeff${good}`), told: undefined },
  { title: "no UTF-8", make: (path) => writeFile(path, Buffer.from([0xff, 0xfe, 0x7b, 0x00])), told: /no UTF-8 text/ },
  {
    title: "not ours to read",
    make: async (path, good) => {
      await writeFile(path, good);
      await chmod(path, 0);
    },
    told: /EACCES, the SPIRE Server's user may not read it/,
    skip: isRoot && "root may read everything; run the tests as another user to see this one",
  },
  {
    title: "a link to nowhere",
    make: (path) => symlink("nowhere", path),
    told: /ENOENT, it is a link to nowhere, which does not exist/,
  },
  { title: "a link that leads to itself", make: (path) => symlink(path, path), told: /ELOOP, it is a link that leads/ },
  {
    title: "a link to a good file",
    make: async (path, good) => {
      await writeFile(`${path}.target`, good);
      await symlink(`${path}.target`, path);
    },
    told: undefined,
  },
];

const keyId = "x509-CA-A";

describe("odd files", { skip: process.platform === "win32" && "no named pipes and sockets among files" }, () => {
  const stage = useStage();
  const rows: string[][] = [];
  let fresh: TestPlugin;
  let running: TestPlugin;

  before(async () => {
    await writeFile(join(stage.folder, "plain"), "");
    fresh = await stage.start();
    running = await stage.start();
    await running.configure();
    await running.generate(keyId);
  });
  after(() => {
    for (const server of sockets) server.close();
  });

  const configure = (plugin: TestPlugin, given: Record<string, string | undefined>) =>
    plugin.configure(given).then(
      () => ({ code: "OK", details: "" }),
      (error: unknown) => {
        assert.ok(error instanceof GrpcStatusError, String(error));
        return { code: error.code, details: error.details };
      },
    );

  for (const setting of settings) {
    for (const [index, { title, make, told, toldOfPolicy = told, skip = false }] of oddFiles.entries()) {
      it(`${setting} is ${title}`, { skip }, async () => {
        const isPolicy = setting === "key_policy_file";
        const place = join(stage.folder, `${setting}-${index}`);
        const made = await make(place, isPolicy ? policy : uuid);
        const path = typeof made === "string" ? made : place;
        const files = await readdir(stage.folder);
        const given = isPolicy ? { [setting]: path } : { key_identifier_value: undefined, [setting]: path };
        const words = isPolicy ? toldOfPolicy : told;

        const { valid, notes } = await running.validate(given);
        const [note = ""] = notes;
        assert.equal(valid, words === undefined, note);
        if (words !== undefined) {
          assert.match(note, words);
          assert.ok(note.startsWith(`${setting} ${path} `), note);
          assert.doesNotMatch(note, /\b(remove|delete)\b/);
        }
        const first = words === undefined ? undefined : await configure(fresh, given);
        const again = await configure(running, given);
        for (const { code, details } of [first, again].filter((outcome) => outcome !== undefined)) {
          assert.match(code, words === undefined ? /^OK$/ : /^(FAILED_PRECONDITION|INVALID_ARGUMENT)$/);
          if (words !== undefined) assert.equal(details, note);
        }
        rows.push([setting, title, valid ? "valid" : "invalid", again.code, note.replaceAll(path, "PATH")]);
        assert.deepEqual(await readdir(stage.folder), files, "no file was made and none taken away");

        // Nothing is wedged: what was configured goes on, and can be configured anew.
        if (words === undefined) await running.configure();
        await running.generate(keyId);
        await signMessage(running, keyId, Buffer.from("message"), "sha256");
      });
    }
  }

  it("leave nothing behind that would hold a shutdown", async () => {
    await fresh.configure({ key_identifier_value: "fresh" });
    await fresh.stop();
    await running.stop();
  });

  it("are written down", () => reportTable("files", ["setting", "the file is", "Validate", "Configure", "told"], rows));
});

describe("an id file that another server makes at the same time", () => {
  const stage = useStage();

  it("is read by the loser", async () => {
    const [one, other] = [await stage.start(), await stage.start()];
    const given = { key_identifier_value: undefined, key_identifier_file: "./shared" };
    // Both find no file and prepare an id of their own; while KMS lists its aliases neither has made the file.
    const slow = stage.kms.fault({ kind: "delay", ms: 1_000, operation: "ListAliases" });
    await Promise.all([one.configure(given), other.configure(given)]);
    slow.remove();
    const { fingerprint } = await one.generate(keyId);
    await other.configure(given);
    assert.equal((await other.fingerprints()).get(keyId), fingerprint);
    assert.deepEqual(await readdir(stage.folder), ["shared"]);
    await one.stop();
    await other.stop();
  });
});
