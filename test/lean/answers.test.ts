/** What the lean way makes of answers, beside what the SDK makes of the same, for each operation that has a lean way. */
import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import { after, describe, it } from "node:test";
import * as kms from "@aws-sdk/client-kms";
import fc from "fast-check";
import * as operations from "../../src/aws/lean/operations.ts";
import { answersTo, endless, exceptions } from "./answers.ts";
import { answering, exception, good, Stage } from "./stage.ts";
import { keyArn, type Subject, subjects } from "./subjects.ts";

const [signing] = subjects as [Subject];

const signatures: Readonly<Record<string, RequestListener>> = {
  "a signature without a key id": answering(200, JSON.stringify({ Signature: "AQID" })),
  "a signature by the bare key id": answering(200, good.replace(/arn[^"]*key\//, "")),
  "a signature by another key": answering(200, good.replace("1234abcd", "ffffffff")),
  "a key id that is a number": answering(200, good.replace(/"arn[^"]*"/, "5")),
  "a key id that is null": answering(200, good.replace(/"arn[^"]*"/, "null")),
  "a key id that is empty": answering(200, good.replace(/"arn[^"]*"/, '""')),
  "no signature": answering(200, JSON.stringify({ KeyId: keyArn })),
  "an empty signature": answering(200, good.replace("AQID", "")),
  "a signature that is a number": answering(200, good.replace('"AQID"', "5")),
  "a signature that is null": answering(200, good.replace('"AQID"', "null")),
  "a signature that is no base64": answering(200, good.replace("AQID", "A*ID")),
  "a signature that is cut base64": answering(200, good.replace("AQID", "AQI")),
  "a signature in base64 of URLs": answering(200, good.replace("AQID", "_-8=")),
  "a signature with two paddings": answering(200, good.replace("AQID", "AQ==")),
};

/** In place of a member; undefined: without it. */
const oddities = [undefined, null, true, 5, -1, 1e99, 1764132345.5, "", "x", "1764132345", [], [null], ["x"], {}];

/** Every text that comes of replacing one member, wherever it stands. */
function* mutationsOf(text: string): Generator<readonly [title: string, text: string]> {
  const paths: (readonly string[])[] = [];
  const walk = (value: unknown, path: readonly string[]): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [name, member] of Object.entries(value)) {
      paths.push([...path, name]);
      walk(member, [...path, name]);
    }
  };
  walk(JSON.parse(text), []);
  for (const path of paths) {
    for (const odd of oddities) {
      const root: unknown = JSON.parse(text);
      const parent = path.slice(0, -1).reduce<object>((at, name) => Object(Reflect.get(at, name)), Object(root));
      const name = path.at(-1) ?? "";
      if (odd === undefined) Reflect.deleteProperty(parent, name);
      else Reflect.set(parent, name, odd);
      yield [`${path.join(".")}: ${JSON.stringify(odd)}`, JSON.stringify(root)];
    }
  }
}

/** @param text a good answer */
function compareAnswersTo(subject: Subject, text: string): void {
  describe(`to ${subject.operation}`, { concurrency: 1 }, async () => {
    const stage = await new Stage().open();
    const ways = await stage.ways();
    after(() => {
      stage.close();
      for (const way of ways) way.close();
    });

    for (const [title, listener] of Object.entries(answersTo(text))) {
      it(title, async () => {
        const those = title.includes("skewed") ? await stage.ways() : ways;
        const outcome = await stage.assertAlike(those, listener, subject);
        assert.doesNotMatch(JSON.stringify(outcome), /a-secret-access-key|a-session-token/);
      });
    }

    for (const [name, status] of exceptions) {
      it(`${name}, with status ${status}`, async () => {
        await stage.assertAlike(ways, exception(name, `the words of ${name}`, status), subject);
      });
    }

    for (const [title, listener] of Object.entries(endless)) {
      it(`${title}, in time`, async () => {
        const those = await stage.ways(500);
        await stage.assertAlike(those, listener, subject);
        for (const way of those) way.close();
      });
    }

    it("an answer that is too large, told and untold", async () => {
      const announced = answering(200, text, { "content-length": String(64 * 1024 * 1024) });
      await stage.assertAlike(ways, announced, subject);
      const five = " ".repeat(5 * 1024 * 1024);
      await stage.assertAlike(ways, (_, response) => response.writeHead(200).write(`${five}${text}`), subject);
    });

    it("any member of another kind, or missing", async () => {
      for (const [title, mutated] of mutationsOf(text)) {
        await stage.assertAlike(ways, answering(200, mutated), subject).catch((error: unknown) => {
          throw new Error(title, { cause: error });
        });
      }
    });

    it("no server there", async () => {
      const closed = await new Stage().open();
      const [sdk, lean, own] = await closed.ways();
      closed.close();
      // Kept connections would be tried first.
      for (const way of [sdk, lean, own]) way.close();
      const expected = await sdk.call(subject);
      for (const way of [lean, own]) assert.deepEqual(await way.call(subject), expected);
      assert.match(JSON.stringify(expected), /ECONNREFUSED.*"outcomeUnknown":false/);
    });

    it("a caller who gives up, before and during the call", async () => {
      for (const way of ways) {
        const early = JSON.stringify(await way.call(subject, AbortSignal.abort()));
        assert.match(early, /"ABORTED".*"outcomeUnknown":false/);
        const stop = new AbortController();
        let isCut: Promise<void> = Promise.resolve();
        stage.listener = (request) => {
          isCut = new Promise((resolve) => request.socket.once("close", () => resolve()));
          stop.abort();
        };
        assert.match(JSON.stringify(await way.call(subject, stop.signal)), /"ABORTED".*"outcomeUnknown":true/);
        await isCut;
      }
    });
  });
}

// Much of it is waiting.
describe("the lean way's answers are the SDK's", { concurrency: true }, () => {
  for (const subject of subjects) compareAnswersTo(subject, subject.good || "{}");
});

describe("the lean way's answers are the SDK's too", async () => {
  const stage = await new Stage().open();
  const ways = await stage.ways();
  after(() => {
    stage.close();
    for (const way of ways) way.close();
  });

  for (const [title, listener] of Object.entries(signatures)) {
    it(title, async () => void (await stage.assertAlike(ways, listener, signing)));
  }

  it("whatever it is made of", async () => {
    const name = fc.constantFrom(
      "DisabledException",
      "aws#ThrottlingException",
      "NotFoundException:x",
      "KMSInternalException",
      "x y",
      "",
    );
    const value = fc.oneof(fc.string({ maxLength: 8 }), fc.integer(), fc.constant(null), fc.constant("AQID"), name);
    const members = fc.constantFrom("__type", "message", "Message", "code", "KeyId", "Signature", "SigningAlgorithm");
    const body = fc.oneof(
      fc.dictionary(members, value, { maxKeys: 5 }).map((object) => JSON.stringify(object)),
      fc.json(),
      fc.string(),
    );
    const status = fc.constantFrom(200, 200, 200, 201, 204, 301, 400, 400, 403, 404, 408, 413, 429, 500, 502, 503, 504);
    const header = fc.constantFrom("x-amzn-errortype", "x-amzn-requestid", "content-type", "x-amz-cf-id", "age");
    const headers = fc.dictionary(header, fc.stringMatching(/^[A-Za-z#:/-]{0,12}$/), { maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(status, body, headers, async (code, text, fields) => {
        for (const subject of subjects) {
          await stage.assertAlike(ways, (_, response) => void response.writeHead(code, fields).end(text), subject);
        }
      }),
      { seed: 20_261_122, numRuns: 100 },
    );
  });
});

/** The members of a structure of the SDK's. */
const membersIn = (schema: unknown): readonly string[] => Reflect.get(Object(schema), 4);

describe("plain answers", () => {
  it("are read by all members that the SDK knows", () => {
    const filled = (names: readonly string[], table: { readonly members: object }) =>
      assert.deepEqual(Object.keys(table.members).sort(), [...names].sort());
    filled(membersIn(kms.SignResponse$), operations.sign.answer);
    filled(membersIn(kms.DescribeKeyResponse$), operations.describeKey.answer);
    filled(membersIn(kms.KeyMetadata$), operations.keyMetadata);
    filled(membersIn(kms.MultiRegionConfiguration$), operations.multiRegion);
    filled(membersIn(kms.MultiRegionKey$), operations.regionOfKey);
    filled(membersIn(kms.XksKeyConfigurationType$), operations.xksKey);
    filled(membersIn(kms.GetPublicKeyResponse$), operations.getPublicKey.answer);
    filled(membersIn(kms.ListAliasesResponse$), operations.listAliases.answer);
    filled(membersIn(kms.AliasListEntry$), operations.alias);
    filled(membersIn(kms.ListKeysResponse$), operations.listKeys.answer);
    filled(membersIn(kms.KeyListEntry$), operations.key);
  });
});
