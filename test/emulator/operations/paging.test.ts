/** Pages and their markers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  DeleteAliasCommand,
  ListAliasesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  paginateListAliases,
  paginateListKeys,
  TagResourceCommand,
} from "@aws-sdk/client-kms";
import { present, rejectsWith, startFixture } from "../fixture.ts";
import { createAlias, createKey } from "../key-fixture.ts";

/** docs/aws-kms-behaviour.md, "Paging". */
describe("paging", () => {
  it("of ListKeys: pages of 100 by default, all keys once, no NextMarker at the end", async (t) => {
    const { kms, target, emulator } = await startFixture(t);
    const made = new Set<string>();
    for (let index = 0; index < 230; index += 1) {
      const output = (await emulator.control.call("CreateKey", {})) as { KeyMetadata: { KeyId: string } };
      made.add(output.KeyMetadata.KeyId);
    }
    const pages: number[] = [];
    const seen: string[] = [];
    for await (const page of paginateListKeys({ client: kms }, {})) {
      pages.push(page.Keys?.length ?? 0);
      seen.push(...(page.Keys ?? []).map((key) => present(key.KeyId)));
    }
    assert.deepEqual(pages, [100, 100, 30]);
    assert.deepEqual(new Set(seen), made);
    assert.equal(seen.length, made.size);
    const whole = (await target("ListKeys", { Limit: 1000 })).json as Record<string, unknown>;
    assert.equal(whole.Truncated, false);
    assert.ok(!("NextMarker" in whole));
  });

  it("of ListAliases: 50 by default; an alias deleted or made between pages disturbs nothing else", async (t) => {
    const { kms } = await startFixture(t, { awsManagedAliases: false });
    const name = (index: number) => `alias/n${String(index).padStart(3, "0")}`;
    for (let index = 0; index < 120; index += 1) {
      if (index % 40 === 0) await createAlias(kms, `${name(index)}x`, await createKey(kms));
      await createAlias(kms, name(index), await createKey(kms));
    }
    const first = await kms.send(new ListAliasesCommand({}));
    assert.equal(first.Aliases?.length, 50);
    const last = present(first.Aliases?.at(-1)?.AliasName);
    await kms.send(new DeleteAliasCommand({ AliasName: last }));
    await createAlias(kms, "alias/aaa", await createKey(kms));
    const rest: string[] = [];
    for await (const page of paginateListAliases({ client: kms }, { Marker: first.NextMarker, Limit: 7 })) {
      rest.push(...(page.Aliases ?? []).map((alias) => present(alias.AliasName)));
    }
    const firstNames = present(first.Aliases).map((alias) => present(alias.AliasName));
    assert.equal(rest.length, 123 - 50);
    assert.equal(new Set([...firstNames, ...rest]).size, 123);
  });

  it("of ListResourceTags", async (t) => {
    const { kms } = await startFixture(t);
    const { KeyId } = await createKey(kms);
    const Tags = Array.from({ length: 7 }, (_, index) => ({ TagKey: `k${index}`, TagValue: `v${index}` }));
    await kms.send(new TagResourceCommand({ KeyId, Tags }));
    const first = await kms.send(new ListResourceTagsCommand({ KeyId, Limit: 4 }));
    assert.equal(first.Truncated, true);
    const second = await kms.send(new ListResourceTagsCommand({ KeyId, Limit: 4, Marker: first.NextMarker }));
    assert.deepEqual([...present(first.Tags), ...present(second.Tags)], Tags);
    assert.deepEqual([second.Truncated, second.NextMarker], [false, undefined]);
  });

  it("of the aliases of one key", async (t) => {
    const { kms } = await startFixture(t);
    const key = await createKey(kms);
    for (const letter of ["c", "a", "b"]) await createAlias(kms, `alias/${letter}`, key);
    const names: (string | undefined)[] = [];
    for await (const page of paginateListAliases({ client: kms }, { KeyId: key.KeyId, Limit: 1 })) {
      names.push(...(page.Aliases ?? []).map((alias) => alias.AliasName));
    }
    assert.deepEqual(names, ["alias/a", "alias/b", "alias/c"]);
  });

  it("refuses limits outside the operation's range", async (t) => {
    const { kms, target } = await startFixture(t);
    const { KeyId } = await createKey(kms);
    for (const Limit of [0, -1, 1001]) {
      await rejectsWith(kms.send(new ListKeysCommand({ Limit })), "ValidationException", /at 'limit' failed/);
    }
    await rejectsWith(
      kms.send(new ListAliasesCommand({ Limit: 101 })),
      "ValidationException",
      /less than or equal to 100$/,
    );
    await rejectsWith(
      kms.send(new ListResourceTagsCommand({ KeyId, Limit: 51 })),
      "ValidationException",
      "1 validation error detected: Value '51' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 50",
    );
    const wrongType = await target("ListKeys", { Limit: "many" });
    assert.equal((wrongType.json as { __type: string }).__type, "SerializationException");
  });

  it("refuses markers that are made up, or for another listing, Region or filter", async (t) => {
    const { kms, kmsFor } = await startFixture(t);
    const key = await createKey(kms);
    await createKey(kms);
    for (const letter of ["a", "b"]) await createAlias(kms, `alias/${letter}`, key);
    const ofKeys = (await kms.send(new ListKeysCommand({ Limit: 1 }))).NextMarker;
    const ofAliases = (await kms.send(new ListAliasesCommand({ KeyId: key.KeyId, Limit: 1 }))).NextMarker;
    const elsewhere = kmsFor({ accessKeyId: "A", secretAccessKey: "s" }, "eu-west-1");
    for (const sent of [
      kms.send(new ListKeysCommand({ Marker: "AAAA" })),
      kms.send(new ListKeysCommand({ Marker: key.KeyId })),
      kms.send(new ListKeysCommand({ Marker: ofAliases })),
      kms.send(new ListAliasesCommand({ Marker: ofAliases })),
      kms.send(new ListResourceTagsCommand({ KeyId: key.KeyId, Marker: ofKeys })),
      elsewhere.send(new ListKeysCommand({ Marker: ofKeys })),
    ]) {
      await rejectsWith(sent, "InvalidMarkerException");
    }
    await rejectsWith(kms.send(new ListKeysCommand({ Marker: "" })), "ValidationException");
    await rejectsWith(kms.send(new ListKeysCommand({ Marker: "m".repeat(1025) })), "ValidationException");
  });
});
