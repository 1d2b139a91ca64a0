import assert from "node:assert/strict";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import type { StatusCode } from "../../../src/plugin-sdk/index.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

interface FileCase {
  readonly title: string;
  /** Content, or "folder"; undefined: no such file. */
  readonly content?: string | Buffer;
  readonly code: StatusCode;
  readonly words: readonly RegExp[];
}

const invalidPolicy = (title: string, content: string | Buffer, word: RegExp): FileCase => ({
  title,
  content,
  code: "INVALID_ARGUMENT",
  words: [word],
});

const policyFiles: readonly FileCase[] = [
  { title: "missing", code: "FAILED_PRECONDITION", words: [/cannot be read: ENOENT/, /user can read/] },
  { title: "a folder", content: "folder", code: "FAILED_PRECONDITION", words: [/cannot be read: EISDIR/] },
  invalidPolicy("empty", "", /not valid JSON/),
  invalidPolicy("no JSON", `{ "Version": secret-word-of-the-file }`, /not valid JSON/),
  invalidPolicy("HCL", `Version = "2012-10-17"`, /not valid JSON/),
  invalidPolicy("a JSON list", "[]", /JSON object/),
  invalidPolicy("JSON null", "null", /JSON object/),
  invalidPolicy("longer than KMS allows", `{"x":"${"y".repeat(32_768)}"}`, /32776 bytes, KMS allows 32768/),
];

const uuid = "0b0f4e0c-5ad5-4a1e-9a3e-0d4c5a6b7c8d";

const idFiles: readonly FileCase[] = [
  { title: "empty", content: "", code: "FAILED_PRECONDITION", words: [/holds no UUID/, /restore/] },
  { title: "cut short", content: uuid.slice(0, 20), code: "FAILED_PRECONDITION", words: [/holds no UUID/] },
  { title: "two ids", content: `${uuid}\n${uuid}\n`, code: "FAILED_PRECONDITION", words: [/holds no UUID/] },
  {
    title: "noise",
    content: Buffer.from([0xff, 0x00, 0x80]),
    code: "FAILED_PRECONDITION",
    words: [/is no UTF-8 text/],
  },
  { title: "a folder", content: "folder", code: "FAILED_PRECONDITION", words: [/EISDIR/] },
];

const keyId = "x509-CA-A";

describe("wrong files: one clear error each, nothing left behind", () => {
  // What a policy file holds must not be in a log.
  const stage = useStage({ secrets: ["secret-word-of-the-file"] });
  let plugin: TestPlugin;
  let fingerprint: string;

  before(async () => {
    plugin = await stage.start();
    await plugin.configure();
    ({ fingerprint } = await plugin.generate(keyId));
  });

  async function place(name: string, content: FileCase["content"]): Promise<string> {
    const path = join(stage.folder, name);
    if (content === "folder") await mkdir(path);
    else if (content !== undefined) await writeFile(path, content);
    return path;
  }

  async function assertUntouched(files: readonly string[]): Promise<void> {
    assert.deepEqual(await readdir(stage.folder), files, "no file was made and none taken away");
    assert.deepEqual(await plugin.fingerprints(), new Map([[keyId, fingerprint]]), "the old configuration stands");
    assert.equal((await stage.kms.keys()).length, 1);
  }

  for (const { title, content, code, words } of policyFiles) {
    it(`key_policy_file is ${title}`, async () => {
      const path = await place(`policy ${title}`, content);
      const files = await readdir(stage.folder);
      const settings = { key_identifier_value: undefined, key_identifier_file: "./id", key_policy_file: path };
      await expectStatus(plugin.configure(settings), code, new RegExp(`key_policy_file ${path}`), ...words);
      const { valid, notes } = await plugin.validate(settings);
      assert.equal(valid, false);
      for (const word of words) assert.match(notes.join("\n"), word);
      await assertUntouched(files);
    });
  }

  for (const setting of ["key_identifier_file", "key_metadata_file"] as const) {
    for (const { title, content, code, words } of idFiles) {
      it(`${setting} is ${title}`, async () => {
        const path = await place(`${setting} ${title}`, content);
        const files = await readdir(stage.folder);
        const settings = { key_identifier_value: undefined, [setting]: path };
        await expectStatus(plugin.configure(settings), code, new RegExp(path), new RegExp(setting), ...words);
        const { valid, notes } = await plugin.validate(settings);
        assert.equal(valid, false);
        for (const word of words) assert.match(notes.join("\n"), word);
        if (content !== "folder") assert.deepEqual(await readFile(path), Buffer.from(content ?? ""), "left as it was");
        await assertUntouched(files);
      });
    }
  }

  it("key_identifier_file lies in a folder that does not exist", async () => {
    const settings = { key_identifier_value: undefined, key_identifier_file: "./no/such/folder/id" };
    const files = await readdir(stage.folder);
    const words = [/no\/such\/folder\/id/, /ENOENT/, /key_identifier_file must name a file in an existing folder/];
    await expectStatus(plugin.configure(settings), "FAILED_PRECONDITION", ...words);
    await assertUntouched(files);
  });

  it("key_identifier_file lies below a file", async () => {
    await place("file", "");
    const settings = { key_identifier_value: undefined, key_identifier_file: "./file/id" };
    const files = await readdir(stage.folder);
    await expectStatus(plugin.configure(settings), "FAILED_PRECONDITION", /ENOTDIR/);
    await assertUntouched(files);
  });

  const asRoot = process.getuid?.() === 0 && "root may write everywhere; run the tests as another user to see this one";
  it("key_identifier_file lies in a folder that is not ours to write", { skip: asRoot }, async () => {
    await mkdir(join(stage.folder, "foreign"));
    await chmod(join(stage.folder, "foreign"), 0o500);
    const settings = { key_identifier_value: undefined, key_identifier_file: "./foreign/id" };
    await expectStatus(plugin.configure(settings), "FAILED_PRECONDITION", /EACCES/, /foreign\/id/);
    assert.deepEqual(await readdir(join(stage.folder, "foreign")), []);
  });

  it("Validate makes no id file, and a Configure that fails later makes none either", async () => {
    const settings = { key_identifier_value: undefined, key_identifier_file: "./later" };
    const files = await readdir(stage.folder);
    assert.equal((await plugin.validate(settings)).valid, true);
    const denied = stage.kms.fault({ kind: "error", name: "AccessDeniedException", operation: "ListAliases" });
    await expectStatus(plugin.configure(settings), "PERMISSION_DENIED", /ListAliases/);
    denied.remove();
    await assertUntouched(files);
  });

  it("a good id file is made once: private, a UUID, and found again by the next start", async () => {
    const settings = { key_identifier_value: undefined, key_identifier_file: "./good" };
    await plugin.configure(settings);
    const path = join(stage.folder, "good");
    const serverId = await readFile(path, "utf8");
    assert.match(serverId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const warning = await plugin.logged(/Server id file not found/, serverId);
    assert.equal(warning.level, "warn");
    const made = await plugin.generate(keyId);
    assert.equal((await stage.kms.keyBehind(serverId, keyId)).fingerprint, made.fingerprint);
    const second = await stage.start();
    await second.configure(settings);
    assert.equal((await second.fingerprints()).get(keyId), made.fingerprint);
    assert.equal(await readFile(path, "utf8"), serverId);
    assert.ok(!second.logs.some(({ message }) => /Server id file not found/.test(message)));
  });
});
