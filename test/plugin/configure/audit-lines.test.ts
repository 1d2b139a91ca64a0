/** What an operator or an auditor must find in the log: keys made, replaced and scheduled for deletion; keys that are not where they should be. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { useStage } from "../harness/stage.ts";

const serverId = "5680d1a4-d4fb-47e3-95b0-fb3d21728341";

describe("what the log tells of keys", () => {
  const stage = useStage();

  it("a key made, replaced and scheduled for deletion is a line at info with its ARN and the request id", async () => {
    const plugin = await stage.start();
    await plugin.configure();
    await plugin.generate("x509-CA-A");
    const created = await plugin.logged(/^Key created$/);
    assert.equal(created.level, "info");
    assert.equal(created.fields.key_id, "x509-CA-A");
    assert.match(String(created.fields.key_arn), /^arn:aws:kms:us-east-2:\d{12}:key\//);
    assert.match(String(created.fields.request_id), /^[\w-]{8,}$/);
    await plugin.generate("x509-CA-A");
    const rotated = await plugin.logged(/^Key rotated$/);
    assert.equal(rotated.level, "info");
    assert.equal(rotated.fields.key_id, "x509-CA-A");
    assert.equal(rotated.fields.replaced_key_arn, created.fields.key_arn);
    assert.notEqual(rotated.fields.key_arn, created.fields.key_arn);
    assert.match(String(rotated.fields.request_id), /^[\w-]{8,}$/);
    const scheduled = await plugin.logged(/^Key scheduled for deletion$/);
    assert.equal(scheduled.level, "info");
    assert.equal(scheduled.fields.key_arn, created.fields.key_arn);
    assert.match(String(scheduled.fields.request_id), /^[\w-]{8,}$/);
    const ids = [created, rotated, scheduled].map(({ fields }) => fields.request_id);
    assert.equal(new Set(ids).size, 3, "each call has its own");
    await plugin.stop();
  });

  it("an identifier file without a key in KMS is a warning that names what may be wrong", async () => {
    const file = join(stage.folder, "known_id");
    await writeFile(file, serverId);
    const plugin = await stage.start();
    await plugin.configure({ key_identifier_value: undefined, key_identifier_file: file }, "lost.example.org");
    const warning = await plugin.logged(/^No key of this server is in KMS, although its identifier file was there/);
    assert.equal(warning.level, "warn");
    const { region, account_id, trust_domain, server_id } = warning.fields;
    assert.deepEqual([region, trust_domain, server_id], ["us-east-2", "lost.example.org", serverId]);
    assert.match(String(account_id), /^\d{12}$/);
    await plugin.stop();
  });

  it("a first start, and one that finds its keys, say nothing of the kind", async () => {
    const settings = { key_identifier_value: undefined, key_identifier_file: join(stage.folder, "new_id") };
    for (const round of [1, 2]) {
      const plugin = await stage.start();
      await plugin.configure(settings, "new.example.org");
      if (round === 1) await plugin.generate("x509-CA-A");
      assert.equal((await plugin.fingerprints()).size, 1);
      await plugin.stop();
      assert.deepEqual(
        plugin.logs.filter(({ message }) => message.startsWith("No key of this server")),
        [],
      );
    }
  });
});
