/** GetResources: filters, pages, keys that once had tags. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { DisableKeyCommand, ScheduleKeyDeletionCommand, UntagResourceCommand } from "@aws-sdk/client-kms";
import type { EmulatorOptions } from "../../../src/kms-emulator/index.ts";
import { startFixture } from "../fixture.ts";
import { createKey } from "../key-fixture.ts";

interface Mapping {
  readonly ResourceARN: string;
  readonly Tags: readonly { readonly Key: string; readonly Value: string }[];
}

interface Answer {
  readonly status: number;
  readonly PaginationToken?: string;
  readonly ResourceTagMappingList?: readonly Mapping[];
  readonly __type?: string;
  readonly Message?: string;
}

/** The tagging SDK is not a dependency: its requests are made by hand. */
async function startTagging(t: TestContext, options: EmulatorOptions = {}) {
  const fixture = await startFixture(t, options);
  const getResources = async (input: object, scope = "us-east-1"): Promise<Answer> => {
    const headers = {
      "X-Amz-Target": "ResourceGroupsTaggingAPI_20170126.GetResources",
      "Content-Type": "application/x-amz-json-1.1",
      Authorization: `AWS4-HMAC-SHA256 Credential=AKID/20260101/${scope}/tagging/aws4_request, SignedHeaders=host, Signature=0`,
      "X-Amz-Date": "20260101T000000Z",
    };
    const reply = await fixture.raw(headers, JSON.stringify(input));
    return { status: reply.status, ...(JSON.parse(reply.body) as object) };
  };
  const arns = async (input: object) =>
    ((await getResources(input)).ResourceTagMappingList ?? []).map((m) => m.ResourceARN);
  const tagged = async (tags: Record<string, string>) => {
    const Tags = Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    return createKey(fixture.kms, { Tags });
  };
  return { ...fixture, getResources, arns, tagged };
}

const filter = (Key: string, ...Values: string[]) => ({ Key, ...(Values.length > 0 ? { Values } : {}) });

/** docs/aws-kms-behaviour.md, "GetResources". */
describe("GetResources", () => {
  it("ANDs filters, ORs values, is case-sensitive, and takes a key without values as present", async (t) => {
    const { arns, tagged, kms } = await startTagging(t);
    const a = await tagged({ td: "x", id: "1", active: "true" });
    const b = await tagged({ td: "x", id: "2", active: "true" });
    const c = await tagged({ td: "y", id: "1", active: "false" });
    await createKey(kms);
    const sorted = (...keys: { Arn: string }[]) => keys.map((key) => key.Arn).sort();
    const get = async (...TagFilters: object[]) => (await arns({ TagFilters })).sort();
    assert.deepEqual(await get(), sorted(a, b, c), "never-tagged keys are absent");
    assert.deepEqual(await get(filter("td", "x"), filter("id", "1"), filter("active", "true")), sorted(a));
    assert.deepEqual(await get(filter("id", "1", "2")), sorted(a, b, c));
    assert.deepEqual(await get(filter("td")), sorted(a, b, c));
    assert.deepEqual(await get(filter("TD", "x")), []);
    assert.deepEqual(await get(filter("td", "X")), []);
    assert.deepEqual(await get({ Key: "td", Values: [] }), sorted(a, b, c));
  });

  it("answers with Key and Value, and an empty token at the end", async (t) => {
    const { getResources, tagged } = await startTagging(t);
    const { Arn } = await tagged({ a: "1" });
    assert.deepEqual(await getResources({}), {
      status: 200,
      PaginationToken: "",
      ResourceTagMappingList: [{ ResourceARN: Arn, Tags: [{ Key: "a", Value: "1" }] }],
    });
  });

  it("shows disabled and pending keys [I], once-tagged keys with no tags, and no deleted ones", async (t) => {
    const { kms, arns, tagged, getResources, emulator } = await startTagging(t);
    const [disabled, pending, bare] = [await tagged({ a: "1" }), await tagged({ a: "2" }), await tagged({ a: "3" })];
    await kms.send(new DisableKeyCommand({ KeyId: disabled.KeyId }));
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: pending.KeyId, PendingWindowInDays: 7 }));
    await kms.send(new UntagResourceCommand({ KeyId: bare.KeyId, TagKeys: ["a"] }));
    assert.deepEqual((await arns({})).sort(), [disabled, pending, bare].map((key) => key.Arn).sort());
    const { ResourceTagMappingList } = await getResources({ ResourceARNList: [bare.Arn] });
    assert.deepEqual(ResourceTagMappingList, [{ ResourceARN: bare.Arn, Tags: [] }]);
    emulator.control.advance(7 * 24 * 60 * 60 * 1000);
    assert.deepEqual((await arns({})).sort(), [disabled, bare].map((key) => key.Arn).sort());
  });

  it("pages by resources and by tags, with tokens that last 15 minutes", async (t) => {
    const { getResources, emulator } = await startTagging(t);
    for (let index = 0; index < 25; index += 1) {
      const Tags = Array.from({ length: 10 }, (_, tag) => ({ TagKey: `k${tag}`, TagValue: "v" }));
      await emulator.control.call("CreateKey", { Tags });
    }
    const sizes = async (input: object) => {
      const pages: number[] = [];
      const seen = new Set<string>();
      for (let PaginationToken: string | undefined; PaginationToken !== ""; ) {
        const page: Answer = await getResources({ ...input, ...(PaginationToken ? { PaginationToken } : {}) });
        pages.push(page.ResourceTagMappingList?.length ?? -1);
        for (const mapping of page.ResourceTagMappingList ?? []) seen.add(mapping.ResourceARN);
        PaginationToken = page.PaginationToken;
      }
      assert.equal(seen.size, 25);
      return pages;
    };
    assert.deepEqual(await sizes({ ResourcesPerPage: 10 }), [10, 10, 5]);
    assert.deepEqual(await sizes({ TagsPerPage: 100 }), [10, 10, 5]);
    assert.deepEqual(await sizes({ TagsPerPage: 120, ResourcesPerPage: 100 }), [12, 12, 1]);
    const { PaginationToken } = await getResources({ ResourcesPerPage: 10 });
    emulator.control.advance(15 * 60 * 1000);
    assert.equal((await getResources({ ResourcesPerPage: 10, PaginationToken })).status, 200);
    emulator.control.advance(1);
    const late = await getResources({ ResourcesPerPage: 10, PaginationToken });
    assert.deepEqual([late.status, late.__type], [400, "PaginationTokenExpiredException"]);
    assert.ok(late.Message, "the error member is Message with a capital");
  });

  it("is regional, and skips absent and foreign ARNs of a list silently", async (t) => {
    const { getResources, tagged } = await startTagging(t);
    const { Arn } = await tagged({ a: "1" });
    assert.deepEqual((await getResources({}, "eu-west-1")).ResourceTagMappingList, []);
    const others = [
      Arn.replace("us-east-1", "eu-west-1"),
      Arn.replace(/.$/, (digit) => (digit === "0" ? "1" : "0")),
      "arn:aws:s3:::bucket",
    ];
    const { ResourceTagMappingList } = await getResources({ ResourceARNList: [...others, Arn] });
    assert.deepEqual(
      ResourceTagMappingList?.map((mapping) => mapping.ResourceARN),
      [Arn],
    );
  });

  it("knows the types kms and kms:key", async (t) => {
    const { arns, tagged } = await startTagging(t);
    const { Arn } = await tagged({ a: "1" });
    assert.deepEqual(await arns({ ResourceTypeFilters: ["kms:key"] }), [Arn]);
    assert.deepEqual(await arns({ ResourceTypeFilters: ["s3", "kms"] }), [Arn]);
    assert.deepEqual(await arns({ ResourceTypeFilters: ["s3"] }), []);
  });

  const refusals: readonly [string, object][] = [
    ["an ARN list with a filter", { ResourceARNList: ["arn:aws:s3:::b"], TagFilters: [filter("a")] }],
    ["an ARN list with a type", { ResourceARNList: ["arn:aws:s3:::b"], ResourceTypeFilters: ["kms"] }],
    ["an ARN list with a page size", { ResourceARNList: ["arn:aws:s3:::b"], ResourcesPerPage: 5 }],
    ["an empty ARN list", { ResourceARNList: [] }],
    ["101 resources a page", { ResourcesPerPage: 101 }],
    ["99 tags a page", { TagsPerPage: 99 }],
    ["21 values in a filter", { TagFilters: [filter("a", ...Array.from({ length: 21 }, String))] }],
    ["51 filters", { TagFilters: Array.from({ length: 51 }, (_, index) => filter(`k${index}`)) }],
    ["a filter without key", { TagFilters: [{ Values: ["a"] }] }],
    ["a made-up token", { PaginationToken: "abc" }],
    ["ExcludeCompliantResources alone", { ExcludeCompliantResources: true }],
  ];
  for (const [title, input] of refusals) {
    it(`refuses ${title}`, async (t) => {
      const { getResources } = await startTagging(t);
      const answer = await getResources(input);
      assert.deepEqual([answer.status, answer.__type], [400, "InvalidParameterException"]);
    });
  }

  it("needs tag:GetResources, and no permission on the keys", async (t) => {
    const identity = (Action: string) => ({
      accessKeyId: "AKID",
      arn: "arn:aws:iam::111122223333:user/u",
      policies: [{ Statement: { Effect: "Allow", Action, Resource: "*" } }],
    });
    const allowed = await startTagging(t, { authorize: true, identities: [identity("tag:GetResources")] });
    await allowed.emulator.control.call("CreateKey", { Tags: [{ TagKey: "a", TagValue: "b" }] });
    assert.equal((await allowed.arns({})).length, 1);
    const denied = await startTagging(t, { authorize: true, identities: [identity("kms:*")] });
    const answer = await denied.getResources({});
    assert.deepEqual([answer.status, answer.__type], [400, "AccessDeniedException"]);
    assert.match(
      answer.Message ?? "",
      /is not authorized to perform: tag:GetResources on resource: \* because no identity-based policy/,
    );
  });
});
