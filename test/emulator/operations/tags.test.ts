/** Tags of keys. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ListResourceTagsCommand, TagResourceCommand, UntagResourceCommand } from "@aws-sdk/client-kms";
import { present, rejectsWith, startFixture } from "../fixture.ts";
import { createKey } from "../key-fixture.ts";

const tag = (TagKey: string, TagValue = "") => ({ TagKey, TagValue });

describe("tags", () => {
  it("of CreateKey are stored; TagResource adds and replaces; UntagResource removes, also what is not there", async (t) => {
    const { kms } = await startFixture(t);
    const { KeyId, Arn } = await createKey(kms, { Tags: [tag("a", "1"), tag("A", "2")] });
    const tags = async () => {
      const listed = present((await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags);
      return Object.fromEntries(listed.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
    };
    assert.deepEqual(await tags(), { A: "2", a: "1" });
    await kms.send(new TagResourceCommand({ KeyId: Arn, Tags: [tag("a", "3"), tag("é", "")] }));
    assert.deepEqual(await tags(), { A: "2", a: "3", é: "" });
    await kms.send(new UntagResourceCommand({ KeyId, TagKeys: ["A", "absent"] }));
    assert.deepEqual(await tags(), { a: "3", é: "" });
    await kms.send(new UntagResourceCommand({ KeyId, TagKeys: [] }));
  });

  it("number at most 50 on a key; replacing at the limit works", async (t) => {
    const { kms } = await startFixture(t);
    const { KeyId } = await createKey(kms);
    const many = Array.from({ length: 50 }, (_, index) => tag(`k${index}`));
    await kms.send(new TagResourceCommand({ KeyId, Tags: many }));
    await kms.send(new TagResourceCommand({ KeyId, Tags: [tag("k7", "new")] }));
    const more = kms.send(new TagResourceCommand({ KeyId, Tags: [tag("one-more")] }));
    await rejectsWith(more, "TagException", "Too many tags");
    assert.equal((await kms.send(new ListResourceTagsCommand({ KeyId }))).Tags?.length, 50);
  });

  it("are refused when reserved, doubled, too long, or half there", async (t) => {
    const { kms, target } = await startFixture(t);
    const { KeyId } = await createKey(kms);
    const send = (Tags: { TagKey: string; TagValue: string }[]) => kms.send(new TagResourceCommand({ KeyId, Tags }));
    await rejectsWith(send([tag("aws:x")]), "TagException", "Tags beginning with aws: are reserved");
    await rejectsWith(send([tag("a"), tag("a")]), "TagException", "Duplicate tag keys");
    await rejectsWith(send([tag("")]), "ValidationException", /at 'tags\.1\.member\.tagKey' failed/);
    await rejectsWith(send([tag("a", "v".repeat(257))]), "ValidationException", /less than or equal to 256$/);
    const half = await target("TagResource", { KeyId, Tags: [{ TagKey: "a" }] });
    assert.match(
      half.body,
      /Value null at 'tags\.1\.member\.tagValue' failed to satisfy constraint: Member must not be null/,
    );
  });
});
