/** Which credentials are chosen, in the log's words. `test/interop/aws-environment` compares the choice itself with Go's SDK. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { chooseCredentials } from "./choice.ts";
import { describeChoice } from "./describe-choice.ts";
import { identityChange } from "./former-choice.ts";
import { type Environment, parseSharedFile, readSharedFiles, type Sections } from "./shared-files.ts";

const keys = { AWS_ACCESS_KEY_ID: "AKIAENV", AWS_SECRET_ACCESS_KEY: "s" };
const webIdentity = { AWS_WEB_IDENTITY_TOKEN_FILE: "/t", AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/w" };
const role = "role_arn = arn:aws:iam::111122223333:role/r";

const sections = (text: string): Promise<Sections> =>
  readSharedFiles({ AWS_CONFIG_FILE: "c", AWS_SHARED_CREDENTIALS_FILE: "k" }, async (path) =>
    path === "c" ? text : "",
  );

const choose = async (env: Environment, text: string) => chooseCredentials(env, await sections(text), undefined);

describe("the choice of credentials, told", () => {
  it("names the source and the roles", async () => {
    const text = `[profile p]\n${role}\nsource_profile = q\n[profile q]\naws_access_key_id = A\naws_secret_access_key = s`;
    const choice = await choose({ AWS_PROFILE: "p" }, text);
    assert.equal(describeChoice(choice), "keys of profile q, then role arn:aws:iam::111122223333:role/r");
  });

  it("a role's session is an hour's unless the profile says otherwise", async () => {
    const text = (line: string) => `[default]\n${role}\ncredential_source = Environment\n${line}`;
    assert.equal((await choose({}, text(""))).roles[0]?.durationSeconds, undefined);
    assert.equal((await choose({}, text("duration_seconds = 1800"))).roles[0]?.durationSeconds, 1800);
    assert.equal((await choose({}, text("duration_seconds = 60"))).roles[0]?.durationSeconds, undefined, "as in Go");
  });

  it("a profile that is to give what it cannot: the error names profile and what to do, no value", async () => {
    const lines = "aws_secret_access_key = verysecretvalue";
    await assert.rejects(choose({}, `[default]\n${lines}`), /^KmsError: profile default has one of aws_access_key_id/);
    await assert.rejects(choose({ AWS_PROFILE: "x" }, ""), /there is no profile x, which AWS_PROFILE names/);
    await assert.rejects(
      choose({}, `[default]\n${role}\nsource_profile = missing`),
      /profile missing, which profile default/,
    );
  });
});

describe("a choice that differs from that of the first versions", () => {
  const profile = "[profile p]\naws_access_key_id = A\naws_secret_access_key = s";
  const change = async (env: Environment, text: string) =>
    identityChange(env, await sections(text), await choose(env, text));

  it("is told", async () => {
    assert.match((await change({ ...keys, AWS_PROFILE: "p" }, profile)) ?? "", /earlier versions used profile p$/);
    const files = "[default]\ncredential_process = true";
    assert.match((await change(webIdentity, files)) ?? "", /earlier versions used profile default$/);
    assert.match((await change({ AWS_DEFAULT_PROFILE: "p" }, profile)) ?? "", /AWS_DEFAULT_PROFILE is followed/);
  });

  it("is not told where nothing changes", async () => {
    const cases: readonly (readonly [Environment, string])[] = [
      [keys, ""],
      [keys, profile],
      [{ ...keys, AWS_PROFILE: "p" }, "[profile p]\nregion = us-east-1"],
      [{ AWS_PROFILE: "p", AWS_DEFAULT_PROFILE: "q" }, profile],
      [webIdentity, "[default]\nregion = us-east-1"],
      [{ AWS_DEFAULT_PROFILE: "p" }, ""],
      [{}, ""],
    ];
    for (const [env, text] of cases) assert.equal(await change(env, text), undefined, JSON.stringify(env));
  });
});

describe("shared files", () => {
  it("are read a million settings long without trouble", () => {
    const text = `[default]\n${"a = b\n".repeat(100_000)}`;
    assert.equal(parseSharedFile(text).get("default")?.values.size, 1);
  });
});
