/** A refresh that finds the alias on another key: followed, left alone or taken back. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accountWithJournal,
  aliases,
  aliasOf,
  arnOf,
  callsOf,
  generate,
  hourMs,
  lines,
  operatorKey,
  startServer,
  trustDomain,
} from "../../../test/simulation/scenes.ts";

const description = `SPIRE_SERVER/${trustDomain}`;
const bare = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);

/** A server with one key, whose alias is then moved to another key; and six hours. */
async function afterMoveTo(spoil: "nothing" | "DisableKey" | "ScheduleKeyDeletion") {
  const account = accountWithJournal();
  const server = await startServer(account, "a");
  const own = await generate(server);
  await account.time.run(hourMs);
  const other = await operatorKey(account, description);
  await account.call("UpdateAlias", { AliasName: aliasOf("a"), TargetKeyId: other });
  if (spoil !== "nothing") await account.call(spoil, { KeyId: other });
  account.control.clearJournal();
  await account.time.run(6 * hourMs);
  const updates = callsOf(account, "UpdateAlias").map(({ input }) => input.TargetKeyId);
  return { server, own, other, updates, target: (await aliases(account)).get(aliasOf("a")) };
}

describe("refreshing an alias that stands on another key by now", () => {
  it("follows it, then refreshes it there", async () => {
    const { server, other, updates, target } = await afterMoveTo("nothing");
    assert.equal(arnOf(server), other);
    assert.deepEqual(updates, [other]);
    assert.equal(target, bare(other));
  });

  it("leaves it alone where that key is disabled, and says so at error", async () => {
    const { server, own, other, updates, target } = await afterMoveTo("DisableKey");
    assert.equal(arnOf(server), own);
    assert.deepEqual(updates, []);
    assert.equal(target, bare(other));
    const [line] = lines(server, /moved an alias to a key that cannot be used/, "error");
    assert.match(String(line?.fields.reason), /enable-key/);
  });

  it("takes it back from a key that is pending deletion", async () => {
    const { server, own, updates, target } = await afterMoveTo("ScheduleKeyDeletion");
    assert.equal(arnOf(server), own);
    assert.deepEqual(updates, [own]);
    assert.equal(target, bare(own));
    assert.equal(lines(server, /stood on a key that is pending deletion/, "warn").length, 1);
  });

  it("says how to cancel the deletion of a key that is still wanted", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    const own = await generate(server);
    await account.call("ScheduleKeyDeletion", { KeyId: own, PendingWindowInDays: 7 });
    await account.time.run(hourMs);
    const [line] = lines(server, /^Task failed/, "error");
    assert.match(String(line?.fields.reason), /pending deletion.*cancel the deletion \(aws kms cancel-key-deletion/);
  });
});
