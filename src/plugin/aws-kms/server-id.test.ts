/** The file of the server's id: made once, whole, and never replaced. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, open, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { KeyManagerError } from "../../key-manager/errors.ts";
import { PreparedInVain } from "../../key-manager/setup.ts";
import { SettingFiles } from "../settings/setting-files.ts";
import { systemClock } from "../system-clock.ts";
import { createServerIdFile, parseUuid, readServerId } from "./server-id.ts";

const files = new SettingFiles({ clock: systemClock });
const making = { files, clock: systemClock };

const id = "0f9d1f4e-6f5c-4a0e-9a3e-0123456789ab";

describe("server id file", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "server-id-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is written whole, private, and read back", async () => {
    const path = join(folder, "id");
    assert.equal(await readServerId(path, "key_identifier_file", files), undefined);
    await createServerIdFile(path, "key_identifier_file", id, making);
    assert.equal(await readFile(path, "utf8"), id);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal(await readServerId(path, "key_identifier_file", files), id);
    assert.deepEqual(await readdir(folder), ["id"]);
  });

  it("takes a trailing newline and upper case", async () => {
    const path = join(folder, "id");
    await writeFile(path, `${id.toUpperCase()}\n`);
    assert.equal(await readServerId(path, "key_identifier_file", files), id);
  });

  it("never replaces a file that is there", async () => {
    const path = join(folder, "id");
    await writeFile(path, id);
    await assert.rejects(
      createServerIdFile(path, "key_identifier_file", "another", making),
      (error) => error instanceof PreparedInVain && /was made by another process/.test(error.message),
    );
    assert.equal(await readFile(path, "utf8"), id);
    assert.deepEqual(await readdir(folder), ["id"]);
  });

  it("is made by one of several servers that start at one time; the others are told to take its id", async () => {
    const path = join(folder, "id");
    const noLinks = () => Promise.reject(Object.assign(new Error("no links here"), { code: "EPERM" }));
    for (const creation of [undefined, { link: noLinks, open }]) {
      const ids = ["a", "b", "c", "d"].map((digit) => id.replaceAll("0", digit));
      const options = { ...making, ...(creation === undefined ? {} : { creation }) };
      const outcomes = await Promise.allSettled(
        ids.map((own) => createServerIdFile(path, "key_identifier_file", own, options)),
      );
      const winner = outcomes.findIndex(({ status }) => status === "fulfilled");
      assert.equal(await readServerId(path, "key_identifier_file", files), ids[winner]);
      const reasons = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : []));
      assert.ok(reasons.length === 3 && reasons.every((reason) => reason instanceof PreparedInVain), String(reasons));
      assert.deepEqual(await readdir(folder), ["id"]);
      await rm(path);
    }
  });

  it("does not stay behind empty when there is no room for it", async () => {
    const path = join(folder, "id");
    const full = Object.assign(new Error("no room"), { code: "ENOSPC" });
    const creation = {
      link: () => Promise.reject(Object.assign(new Error("no links here"), { code: "ENOTSUP" })),
      async open(...given: Parameters<typeof open>) {
        const file = await open(...given);
        return Object.assign(file, { writeFile: () => Promise.reject(full) });
      },
    };
    const made = createServerIdFile(path, "key_identifier_file", id, { ...making, creation });
    await assert.rejects(made, /key_identifier_file .*id cannot be made: ENOSPC/);
    assert.deepEqual(await readdir(folder), []);
  });

  const plain = "6ba7b8109dad11d180b400c04fd430c8";
  const canonical = "6ba7b810-9dad-11d1-80b4-00c04fd430c8";
  for (const body of [plain, canonical]) {
    for (const text of [body, body.toUpperCase(), `{${body}}`, `urn:uuid:${body}`, `URN:UUID:${body}`]) {
      it(`reads ${text}, as the built-in plugin does, and uses the canonical form`, async () => {
        const path = join(folder, "id");
        for (const around of [text, `${text}\r\n`, `\ufeff${text}\n`]) {
          await writeFile(path, around);
          assert.equal(await readServerId(path, "key_identifier_file", files), canonical);
        }
      });
    }
  }
  for (const text of [
    `{${plain}`,
    `${plain}}`,
    `urn:uuid:{${plain}}`,
    plain.slice(1),
    `${canonical}0`,
    `urn:${plain}`,
  ]) {
    it(`takes ${text} for no UUID`, () => assert.equal(parseUuid(text), undefined));
  }

  for (const content of ["", "not a uuid", `${id}x`, `${id} ${id}`]) {
    it(`refuses a file that holds ${JSON.stringify(content)}, naming the file and the setting`, async () => {
      const path = join(folder, "id");
      await writeFile(path, content);
      await assert.rejects(
        readServerId(path, "key_metadata_file", files),
        (error) =>
          error instanceof KeyManagerError &&
          error.code === "FAILED_PRECONDITION" &&
          error.message.includes(path) &&
          error.message.includes("key_metadata_file") &&
          error.message.includes("holds no UUID") &&
          !/remove|delete/.test(error.message),
      );
    });
  }

  it("says which folder is missing", async () => {
    const path = join(folder, "no", "id");
    const words = /ENOENT, there is no folder .*\/no; key_identifier_file must name a file in an existing folder/;
    await assert.rejects(readServerId(path, "key_identifier_file", files), words);
    await assert.rejects(
      createServerIdFile(path, "key_identifier_file", id, making),
      /ENOENT, .*; key_identifier_file/,
    );
  });

  it("refuses a folder in the file's place", async () => {
    await chmod(folder, 0o700);
    await assert.rejects(readServerId(folder, "key_identifier_file", files), /EISDIR/);
  });
});
