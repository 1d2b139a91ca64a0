/** Credentials that no header can carry are refused where they are read. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isKmsError } from "../../key-manager/ports.ts";
import { checkPlain, environmentCredentials, profileKeys } from "./plain-credentials.ts";

const odd = {
  "a line break": "verysecret\nvalue",
  "a character that is not ASCII": "verysecrét",
  "a space": "very secret",
};

const refuses = (read: () => unknown, name: string, oddity: string) =>
  assert.throws(read, (error) => {
    assert.ok(isKmsError(error, "UNAUTHENTICATED"));
    assert.equal(error.message, `${name} holds ${oddity}; set it to the bare value`);
    return true;
  });

describe("credentials that no header can carry", () => {
  for (const [oddity, value] of Object.entries(odd)) {
    it(`${oddity}: the variable, the setting or the source is named, never the value`, () => {
      const env = { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "s" };
      for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]) {
        refuses(() => environmentCredentials({ ...env, [name]: value }), name, oddity);
      }
      refuses(
        () => environmentCredentials({ AWS_ACCESS_KEY_ID: "A", AWS_SECRET_KEY: value }),
        "AWS_SECRET_KEY",
        oddity,
      );
      const settings = new Map([
        ["aws_access_key_id", "AKIA"],
        ["aws_secret_access_key", value],
      ]);
      refuses(() => profileKeys({ name: "p", settings }), "aws_secret_access_key of profile p", oddity);
      const credentials = { accessKeyId: "AKIA", secretAccessKey: "s", sessionToken: value };
      refuses(() => checkPlain(credentials, "the endpoint"), "the session token of the endpoint", oddity);
    });
  }

  it("good ones pass", () => {
    const env = { AWS_ACCESS_KEY_ID: "AKIA", AWS_SECRET_ACCESS_KEY: "a/b+c=", AWS_SESSION_TOKEN: "t" };
    assert.deepEqual(environmentCredentials(env), {
      accessKeyId: "AKIA",
      secretAccessKey: "a/b+c=",
      sessionToken: "t",
    });
  });
});
