import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { KeyManagerError } from "../../key-manager/errors.ts";
import { createServerIdFile, readServerId } from "./server-id.ts";

const id = "0f9d1f4e-6f5c-4a0e-9a3e-0123456789ab";

describe("server id file", () => {
  let folder = "";
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "server-id-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it("is written whole, private, and read back", async () => {
    const path = join(folder, "id");
    assert.equal(await readServerId(path, "key_identifier_file"), undefined);
    await createServerIdFile(path, "key_identifier_file", id);
    assert.equal(await readFile(path, "utf8"), id);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.equal(await readServerId(path, "key_identifier_file"), id);
    assert.deepEqual(await readdir(folder), ["id"]);
  });

  it("takes a trailing newline and upper case", async () => {
    const path = join(folder, "id");
    await writeFile(path, `${id.toUpperCase()}\n`);
    assert.equal(await readServerId(path, "key_identifier_file"), id);
  });

  it("never replaces a file that is there", async () => {
    const path = join(folder, "id");
    await writeFile(path, id);
    await assert.rejects(
      createServerIdFile(path, "key_identifier_file", "another"),
      /cannot create the server id file/,
    );
    assert.equal(await readFile(path, "utf8"), id);
    assert.deepEqual(await readdir(folder), ["id"]);
  });

  for (const content of ["", "not a uuid", `${id}x`, `${id} ${id}`]) {
    it(`refuses a file that holds ${JSON.stringify(content)}, naming the file and the setting`, async () => {
      const path = join(folder, "id");
      await writeFile(path, content);
      await assert.rejects(
        readServerId(path, "key_metadata_file"),
        (error) =>
          error instanceof KeyManagerError &&
          error.code === "FAILED_PRECONDITION" &&
          error.message.includes(path) &&
          error.message.includes("key_metadata_file") &&
          error.message.includes("holds no UUID"),
      );
    });
  }

  it("says which folder is missing", async () => {
    const path = join(folder, "no", "id");
    assert.equal(await readServerId(path, "key_identifier_file"), undefined);
    await assert.rejects(createServerIdFile(path, "key_identifier_file", id), /ENOENT; key_identifier_file must name/);
  });

  it("refuses a folder in the file's place", async () => {
    await chmod(folder, 0o700);
    await assert.rejects(readServerId(folder, "key_identifier_file"), /EISDIR/);
  });
});
