/** Tags that are left on keys are told of where this process can know of them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { accountWithJournal, generate, lines, startServer, tagMode } from "../../../test/simulation/scenes.ts";

const warnings = (server: Parameters<typeof lines>[0]) =>
  lines(server, /^Tag-based key discovery was switched off/, "warn");

describe("tag mode that is switched off while the process runs", () => {
  it("leaves tags, and says on which keys and what to do", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a", tagMode);
    const keyArn = await generate(server);
    await account.time.until(server.configure({ enable_tag_based_key_discovery: false }));
    const [line, ...more] = warnings(server);
    assert.deepEqual(more, []);
    assert.deepEqual([line?.fields.key_arns, line?.fields.keys], [[keyArn], 1]);
    assert.match(String(line?.fields.remedy), /untag-resource .*--tag-keys .*spire-server-td.*spire-last-update/);
    await account.time.until(server.configure({ enable_tag_based_key_discovery: false }));
    assert.equal(warnings(server).length, 1, "once");
  });

  it("says nothing where no key has tags, and where nothing was switched off", async () => {
    for (const [before, after] of [
      [true, true],
      [false, false],
      [false, true],
    ]) {
      const account = accountWithJournal();
      const server = await startServer(account, "a", { enable_tag_based_key_discovery: before === true });
      await generate(server);
      await account.time.until(server.configure({ enable_tag_based_key_discovery: after === true }));
      assert.equal(warnings(server).length, 0);
    }
    const account = accountWithJournal();
    const empty = await startServer(account, "a", tagMode);
    await account.time.until(empty.configure({ enable_tag_based_key_discovery: false }));
    assert.equal(warnings(empty).length, 0);
  });
});
