/** The data file: what it keeps, what it survives, and what it refuses. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createSymmetricMaterial, storeMaterial } from "../crypto/key-material.ts";
import { type EmulatorClock, manualClock } from "../drills/clock.ts";
import { EmulatorError, type EmulatorErrorCode } from "../errors.ts";
import { createRandom } from "../random.ts";
import type { KeyRecord, Mutation } from "../state/records.ts";
import { Store } from "../state/store.ts";
import { DataFile } from "./data-file.ts";

const account = "111122223333";
const region = "us-east-1";

function keyNamed(keyId: string, parts: Partial<KeyRecord> = {}): Mutation[] {
  const materialId = `material of ${keyId}`;
  const key: KeyRecord = {
    account,
    region,
    keyId,
    createdAtMs: 1,
    description: "né à Zürich",
    spec: "SYMMETRIC_DEFAULT",
    usage: "ENCRYPT_DECRYPT",
    keyManager: "CUSTOMER",
    state: "Enabled",
    isMultiRegion: false,
    materialId,
    tags: [{ key: "a", value: "b" }],
    wasTagged: true,
    ...parts,
  };
  const material = { id: materialId, spec: key.spec, secret: "AAAA", publicKey: "" };
  return [
    { kind: "put-material", material },
    { kind: "put-key", key },
  ];
}

function temporaryPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "kms-emulator-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "state.log");
}

interface Opened {
  readonly store: Store;
  readonly file: DataFile;
  readonly clock: EmulatorClock;
}

function open(path: string, clock = manualClock(1000)): Opened {
  const store = new Store(() => storeMaterial(createSymmetricMaterial(createRandom(1))));
  return { store, clock, file: DataFile.open({ path, fsync: false }, store, clock) };
}

/** Opens, lets `use` do something, closes. */
function session<T>(path: string, use: (opened: Opened) => T): T {
  const opened = open(path);
  try {
    return use(opened);
  } finally {
    opened.file.close();
  }
}

const keyIds = (store: Store): string[] => [...store.region(account, region).keys.keys()].sort();

const failsWith = (code: EmulatorErrorCode) => (error: unknown) =>
  error instanceof EmulatorError && error.code === code;

describe("the data file", () => {
  it("brings back what was committed", (t) => {
    const path = temporaryPath(t);
    const snapshot = session(path, ({ store }) => {
      store.commit(keyNamed("k1"), 1);
      store.commit(keyNamed("k2"), 2);
      const alias = { account, region, name: "alias/a", keyId: "k1", createdAtMs: 3, updatedAtMs: 4 };
      store.commit([{ kind: "put-alias", alias }], 3);
      store.commit([{ kind: "delete-key", account, region, keyId: "k2" }], 4);
      return [...store.snapshot()];
    });
    session(path, ({ store }) => assert.deepEqual([...store.snapshot()], snapshot));
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  it("cut off at any byte brings back every whole line, and can be written on", (t) => {
    const path = temporaryPath(t);
    const ends: number[] = [];
    session(path, ({ store }) => {
      for (const keyId of ["k1", "k2", "k3"]) {
        ends.push(statSync(path).size);
        store.commit(keyNamed(keyId), 1);
      }
    });
    const whole = readFileSync(path);
    for (let length = 0; length <= whole.length; length += length < 40 ? 1 : 7) {
      writeFileSync(path, whole.subarray(0, length));
      // A key's line is whole when the next one's start is reached; k3's is at the file's end.
      const expected = ["k1", "k2", "k3"].filter((_, index) => (ends[index + 1] ?? whole.length) <= length);
      session(path, ({ store }) => {
        assert.deepEqual(keyIds(store), expected, `${length} bytes`);
        store.commit(keyNamed("k4"), 1);
      });
      session(path, ({ store }) => assert.deepEqual(keyIds(store), [...expected, "k4"], `${length} bytes, written on`));
    }
  });

  it("with a last line of garbage or zeros, as a power cut may leave, loses only that", (t) => {
    const path = temporaryPath(t);
    session(path, ({ store }) => store.commit(keyNamed("k1"), 1));
    const whole = readFileSync(path);
    for (const tail of [Buffer.alloc(4096), Buffer.from("garbage\n"), Buffer.from("garbage\nmore garbage\n{")]) {
      writeFileSync(path, Buffer.concat([whole, tail]));
      session(path, ({ store }) => assert.deepEqual(keyIds(store), ["k1"]));
      assert.deepEqual(readFileSync(path), whole, "the tail was removed");
    }
  });

  it("damaged before its end is an error that names the line, and is left alone", (t) => {
    const path = temporaryPath(t);
    session(path, ({ store }) => {
      for (const keyId of ["k1", "k2", "k3"]) store.commit(keyNamed(keyId), 1);
    });
    const lines = readFileSync(path, "utf8").split("\n");
    const damaged = [...lines.slice(0, 2), (lines[2] ?? "").replace("Enabled", "enabled"), ...lines.slice(3)].join(
      "\n",
    );
    writeFileSync(path, damaged);
    assert.throws(() => open(path), failsWith("DATA_FILE_CORRUPT"));
    assert.throws(() => open(path), /line 3 is damaged/);
    assert.equal(readFileSync(path, "utf8"), damaged);
  });

  for (const [title, content] of [
    ["of another program", "# hosts\n127.0.0.1 localhost\n"],
    ["of another program, in one line", "x".repeat(300)],
    ["that is JSON", '{"keys":[]}\n'],
  ] as const) {
    it(`${title} is refused and left alone`, (t) => {
      const path = temporaryPath(t);
      writeFileSync(path, content);
      assert.throws(() => open(path), failsWith("DATA_FILE_CORRUPT"));
      assert.equal(readFileSync(path, "utf8"), content);
    });
  }

  it("that cannot be read or written is an error", (t) => {
    const path = temporaryPath(t);
    assert.throws(() => open(join(path, "..")), failsWith("DATA_FILE_UNREADABLE"));
    assert.throws(() => open(join(path, "..", "absent", "state.log")), failsWith("DATA_FILE_UNWRITABLE"));
  });

  it("belongs to one emulator at a time", (t) => {
    const path = temporaryPath(t);
    const first = open(path);
    assert.throws(() => open(path), failsWith("DATA_FILE_LOCKED"));
    first.file.close();
    open(path).file.close();
    writeFileSync(`${path}.lock`, "999999999 1\n"); // a process that has ended
    open(path).file.close();
    writeFileSync(`${path}.lock`, `${process.ppid} not-its-start-time\n`); // its number is another process's by now
    if (process.platform === "linux") open(path).file.close();
  });

  it("keeps a clock that was moved, and never goes back", (t) => {
    const path = temporaryPath(t);
    const ahead = Date.now() + 30 * 86_400_000;
    session(path, ({ store, clock }) => {
      clock.advance(ahead - clock.now());
      store.clockMoved(clock.now());
    });
    const { clock, file } = open(path);
    assert.ok(clock.now() >= ahead);
    file.close();
  });

  it("settles what fell due while no emulator was running", (t) => {
    const path = temporaryPath(t);
    session(path, ({ store }) => store.commit(keyNamed("k1", { state: "PendingDeletion", dueAtMs: 5000 }), 1));
    const { store, file } = open(path, manualClock(5000));
    assert.deepEqual(keyIds(store), []);
    file.close();
    session(path, (opened) => assert.deepEqual(keyIds(opened.store), []));
  });

  it("is rewritten when it has grown, without losing anything", (t) => {
    const path = temporaryPath(t);
    session(path, ({ store }) => {
      const description = "d".repeat(8000);
      for (let round = 0; round < 2000; round += 1) store.commit(keyNamed(`k${round % 10}`, { description }), 1);
      store.commit(keyNamed("last"), 1);
    });
    assert.ok(statSync(path).size < 10 * 1024 * 1024, `${statSync(path).size} bytes`);
    session(path, ({ store }) => assert.equal(keyIds(store).length, 11));
  });

  it("refuses changes it cannot write, and the state stays as it was", (t) => {
    const path = temporaryPath(t);
    const { store, file } = open(path);
    store.commit(keyNamed("k1"), 1);
    file.close();
    assert.throws(() => store.commit(keyNamed("k2"), 1), failsWith("CLOSED"));
    assert.deepEqual(keyIds(store), ["k1"]);
  });

  it("leaves out a file of the rewriting that was interrupted", (t) => {
    const path = temporaryPath(t);
    session(path, ({ store }) => store.commit(keyNamed("k1"), 1));
    writeFileSync(`${path}.new`, "half a file");
    session(path, ({ store }) => {
      store.replaceAll(keyNamed("k9"), 1);
      assert.deepEqual(keyIds(store), ["k9"]);
    });
    session(path, ({ store }) => assert.deepEqual(keyIds(store), ["k9"]));
    truncateSync(path, 0);
    session(path, ({ store }) => assert.deepEqual(keyIds(store), []));
  });
});
