/** The default key policy, and the operator's own from a file. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { SettingFiles } from "../settings/setting-files.ts";
import { systemClock } from "../system-clock.ts";
import { defaultKeyPolicy, readKeyPolicyFile } from "./key-policy.ts";

const files = new SettingFiles({ clock: systemClock });

describe("default key policy", () => {
  for (const partition of ["aws", "aws-cn", "aws-us-gov"]) {
    it(`binds keys to the role, in partition ${partition}`, () => {
      const role = { partition, account: "111122223333", roleName: "example-role-name" };
      const roleArn = `arn:${partition}:iam::111122223333:role/with/path/example-role-name`;
      assert.deepEqual(JSON.parse(defaultKeyPolicy(role, roleArn)), {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "Allow full access to the SPIRE Server role",
            Effect: "Allow",
            Principal: { AWS: roleArn },
            Action: "kms:*",
            Resource: "*",
          },
          {
            Sid: "Allow KMS console to display the key and policy",
            Effect: "Allow",
            Principal: { AWS: `arn:${partition}:iam::111122223333:root` },
            Action: ["kms:Describe*", "kms:List*", "kms:Get*"],
            Resource: "*",
          },
        ],
      });
    });
  }
});

describe("key policy file", () => {
  let folder = "";
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "key-policy-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  const fileWith = async (text: string) => {
    const path = join(folder, "policy.json");
    await writeFile(path, text);
    return path;
  };

  it("is sent as it stands", async () => {
    const text = '{\n\t"Version" : "2012-10-17", "Statement": [] }\n';
    assert.equal(await readKeyPolicyFile(await fileWith(text), files), text);
  });

  it("loses its byte order mark, which KMS refuses", async () => {
    assert.equal(await readKeyPolicyFile(await fileWith("\ufeff{}"), files), "{}");
  });

  for (const text of ["", "{", "[]", "null", '"x"', "1"]) {
    it(`refuses ${JSON.stringify(text)}`, async () => {
      await assert.rejects(
        readKeyPolicyFile(await fileWith(text), files),
        /policy\.json (is not valid JSON|must hold a JSON object)/,
      );
    });
  }

  it("refuses what is too long for KMS", async () => {
    const text = JSON.stringify({ Id: "x".repeat(32_768) });
    await assert.rejects(readKeyPolicyFile(await fileWith(text), files), /has 32\d+ bytes, KMS allows 32768/);
  });

  it("names a file that cannot be read", async () => {
    await assert.rejects(readKeyPolicyFile(join(folder, "absent.json"), files), /absent\.json cannot be read: ENOENT/);
  });
});
