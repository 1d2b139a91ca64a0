/** The Query protocol: parameters into structures. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AwsException } from "../exceptions.ts";
import { queryInput, stsQuery } from "./aws-query.ts";

describe("query parameters", () => {
  it("become structures and lists", () => {
    const parameters = new URLSearchParams(
      "Action=AssumeRole&Version=2011-06-15&RoleArn=a%3Ab&Tags.member.2.Key=k2&Tags.member.1.Key=k1&Tags.member.1.Value=" +
        "&Tags.member.10.Key=k10&TransitiveTagKeys.member.1=x&X-Amz-Date=1",
    );
    assert.deepEqual(queryInput(parameters), {
      RoleArn: "a:b",
      Tags: [{ Key: "k1", Value: "" }, { Key: "k2" }, { Key: "k10" }],
      TransitiveTagKeys: ["x"],
    });
  });
});

describe("query answers", () => {
  it("escape XML, write times without fractions, lists as members, and leave undefined out", () => {
    const output = { Text: "<a&b>'\"\u0000", At: new Date(1.5e12 + 123), List: ["x", { Y: 1 }], None: undefined };
    assert.equal(
      stsQuery.output("Op", output, "id").body,
      '<OpResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><OpResult><Text>&lt;a&amp;b&gt;&apos;&quot;</Text>' +
        "<At>2017-07-14T02:40:00Z</At><List><member>x</member><member><Y>1</Y></member></List></OpResult>" +
        "<ResponseMetadata><RequestId>id</RequestId></ResponseMetadata></OpResponse>",
    );
  });

  it("say who is at fault", () => {
    const type = (code: string) =>
      /<Type>(\w+)<\/Type>/.exec(stsQuery.exception(new AwsException(code, "m"), "id").body)?.[1];
    assert.deepEqual([type("AccessDenied"), type("InternalFailure")], ["Sender", "Receiver"]);
  });
});
