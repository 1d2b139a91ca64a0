/** Aliases: names, dates, limits, the change of their key. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  AlreadyExistsException,
  CreateAliasCommand,
  type CreateKeyCommandInput,
  DeleteAliasCommand,
  DescribeKeyCommand,
  ListAliasesCommand,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from "@aws-sdk/client-kms";
import { account, present, region, rejectsWith, startFixture } from "../fixture.ts";
import { createAlias, createKey } from "../key-fixture.ts";

const prefixText =
  'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html';

/** docs/aws-kms-behaviour.md, "Limits of fields", "Aliases": names that no alias may have. */
const badNames: readonly { title: string; alias: string; name: string; message?: string | RegExp }[] = [
  { title: "without the prefix", alias: "foo", name: "ValidationException", message: prefixText },
  { title: "with another case of the prefix", alias: "Alias/foo", name: "ValidationException", message: prefixText },
  {
    title: "that is an ARN [I]",
    alias: "arn:aws:kms:us-east-1:1:alias/a",
    name: "ValidationException",
    message: prefixText,
  },
  {
    title: "with characters outside the pattern",
    alias: "alias/a.b",
    name: "ValidationException",
    message:
      "1 validation error detected: Value 'alias/a.b' at 'aliasName' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$",
  },
  {
    title: "of 257 characters",
    alias: `alias/${"a".repeat(251)}`,
    name: "ValidationException",
    message: /Member must have length less than or equal to 256$/,
  },
  {
    title: "with a colon",
    alias: "alias/Service:Test",
    name: "ValidationException",
    message: "alias/Service:Test contains invalid characters for an alias",
  },
  { title: "that is only the prefix [I]", alias: "alias/", name: "ValidationException" },
  { title: "reserved for AWS [L]", alias: "alias/aws/foo", name: "NotAuthorizedException" },
];

const withKey = async (t: TestContext, input?: Partial<CreateKeyCommandInput>) => {
  const fixture = await startFixture(t);
  const { kms } = fixture;
  const key = await createKey(kms, input);
  const listed = async (KeyId?: string) =>
    present((await kms.send(new ListAliasesCommand({ KeyId, Limit: 100 }))).Aliases);
  const point = (AliasName: string, TargetKeyId: string) =>
    kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId }));
  return { ...fixture, key, listed, point };
};

describe("an alias name", () => {
  for (const { title, alias, name, message } of badNames) {
    it(`${title} is refused by CreateAlias, UpdateAlias and DeleteAlias`, async (t) => {
      const { kms, key, point } = await withKey(t);
      await rejectsWith(createAlias(kms, alias, key), name, message);
      await rejectsWith(point(alias, key.KeyId), name, message);
      await rejectsWith(kms.send(new DeleteAliasCommand({ AliasName: alias })), name, message);
    });
  }

  it("of 256 characters is accepted, and upper and lower case differ", async (t) => {
    const { kms, key, listed } = await withKey(t);
    const names = [`alias/${"a".repeat(250)}`, "alias/Case", "alias/case", "alias/SPIRE_SERVER/a_b/0-1/x_2by"];
    for (const name of names) await createAlias(kms, name, key);
    assert.deepEqual((await listed(key.KeyId)).map((alias) => alias.AliasName).sort(), [...names].sort());
  });
});

describe("CreateAlias", () => {
  it("sets both dates and takes the key by id or ARN", async (t) => {
    const { kms, key, emulator, listed } = await withKey(t);
    await createAlias(kms, "alias/by-id", key);
    await kms.send(new CreateAliasCommand({ AliasName: "alias/by-arn", TargetKeyId: key.Arn }));
    const now = emulator.control.now();
    assert.deepEqual(
      await listed(key.Arn),
      ["alias/by-arn", "alias/by-id"].map((name) => ({
        AliasName: name,
        AliasArn: `arn:aws:kms:${region}:${account}:${name}`,
        TargetKeyId: key.KeyId,
        CreationDate: now,
        LastUpdatedDate: now,
      })),
    );
  });

  it("refuses a name that exists", async (t) => {
    const { kms, key } = await withKey(t);
    await createAlias(kms, "alias/a", key);
    await assert.rejects(createAlias(kms, "alias/a", key), AlreadyExistsException);
    await rejectsWith(
      createAlias(kms, "alias/a", key),
      "AlreadyExistsException",
      `An alias with the name arn:aws:kms:${region}:${account}:alias/a already exists`,
    );
  });

  it("refuses a 51st alias, and UpdateAlias does unless the alias is already there", async (t) => {
    const { kms, key, listed, point } = await withKey(t);
    for (let index = 0; index < 50; index += 1) await createAlias(kms, `alias/n${index}`, key);
    await rejectsWith(createAlias(kms, "alias/n50", key), "LimitExceededException");
    const other = await createKey(kms);
    await createAlias(kms, "alias/other", other);
    await rejectsWith(point("alias/other", key.KeyId), "LimitExceededException");
    await point("alias/n0", key.KeyId); // same target at the limit [I]
    assert.equal((await listed(key.KeyId)).length, 50);
  });
});

describe("UpdateAlias", () => {
  it("to the same target moves LastUpdatedDate and nothing else", async (t) => {
    const { kms, key, emulator, listed, point } = await withKey(t);
    await createAlias(kms, "alias/a", key);
    const [before] = await listed(key.KeyId);
    emulator.control.advance(6 * 60 * 60 * 1000);
    await point("alias/a", key.KeyId);
    assert.deepEqual(await listed(key.KeyId), [{ ...before, LastUpdatedDate: emulator.control.now() }]);
  });

  it("to another key keeps CreationDate; a deleted and re-created alias starts anew", async (t) => {
    const { kms, key, emulator, listed, point } = await withKey(t);
    await createAlias(kms, "alias/a", key);
    const created = emulator.control.now();
    const other = await createKey(kms);
    emulator.control.advance(1000);
    await point("alias/a", other.Arn);
    const [moved] = await listed(other.KeyId);
    assert.deepEqual([moved?.CreationDate, moved?.LastUpdatedDate], [created, emulator.control.now()]);
    assert.deepEqual(await listed(key.KeyId), []);
    await kms.send(new DeleteAliasCommand({ AliasName: "alias/a" }));
    emulator.control.advance(1000);
    await createAlias(kms, "alias/a", other);
    assert.deepEqual((await listed(other.KeyId))[0]?.CreationDate, emulator.control.now());
  });

  it("allows RSA and ECC signing keys to replace each other", async (t) => {
    const { kms, key, point } = await withKey(t);
    await createAlias(kms, "alias/a", key);
    const rsa = await createKey(kms, { KeySpec: "RSA_2048" });
    await point("alias/a", rsa.KeyId);
    await point("alias/a", key.KeyId);
  });

  const mismatches: readonly [string, Partial<CreateKeyCommandInput>][] = [
    ["symmetric", { KeySpec: "SYMMETRIC_DEFAULT", KeyUsage: "ENCRYPT_DECRYPT" }],
    ["HMAC", { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" }],
    ["RSA encryption", { KeySpec: "RSA_2048", KeyUsage: "ENCRYPT_DECRYPT" }],
    ["key agreement", { KeySpec: "ECC_NIST_P256", KeyUsage: "KEY_AGREEMENT" }],
  ];
  for (const [title, input] of mismatches) {
    it(`refuses to move from a signing key to a ${title} key (text unverified)`, async (t) => {
      const { kms, key, listed, point } = await withKey(t);
      await createAlias(kms, "alias/a", key);
      const other = await createKey(kms, input);
      await rejectsWith(point("alias/a", other.KeyId), "ValidationException", /must be the same/);
      await createAlias(kms, "alias/b", other);
      await rejectsWith(point("alias/b", key.KeyId), "ValidationException", /must be the same/);
      assert.equal((await listed(key.KeyId)).length, 1);
    });
  }

  it("of an alias or to a key that does not exist is NotFoundException", async (t) => {
    const { kms, key, point } = await withKey(t);
    const arn = `arn:aws:kms:${region}:${account}`;
    await rejectsWith(point("alias/none", key.KeyId), "NotFoundException", `Alias ${arn}:alias/none is not found.`);
    await createAlias(kms, "alias/a", key);
    const absent = "1234abcd-12ab-34cd-56ef-1234567890ab";
    await rejectsWith(point("alias/a", absent), "NotFoundException", `Key '${arn}:key/${absent}' does not exist`);
    const refused = "Aliases must refer to keys. Not aliases";
    for (const target of ["alias/a", `${arn}:alias/a`]) {
      await rejectsWith(point("alias/a", target), "ValidationException", refused);
      const made = kms.send(new CreateAliasCommand({ AliasName: "alias/b", TargetKeyId: target }));
      await rejectsWith(made, "ValidationException", refused);
    }
  });
});

describe("DeleteAlias", () => {
  it("deletes once, whatever the state of the key", async (t) => {
    const { kms, key, listed } = await withKey(t);
    await createAlias(kms, "alias/a", key);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.KeyId }));
    await kms.send(new DeleteAliasCommand({ AliasName: "alias/a" }));
    assert.deepEqual(await listed(key.KeyId), []);
    const again = kms.send(new DeleteAliasCommand({ AliasName: "alias/a" }));
    await rejectsWith(again, "NotFoundException", `Alias arn:aws:kms:${region}:${account}:alias/a is not found.`);
  });
});

describe("an alias of a key that is pending deletion", () => {
  it("is listed, resolves, and can be moved to another key, but not back", async (t) => {
    const { kms, key, listed, point } = await withKey(t);
    const other = await createKey(kms);
    await createAlias(kms, "alias/a", key);
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.KeyId }));
    assert.equal((await listed(key.KeyId)).length, 1);
    const described = await kms.send(new DescribeKeyCommand({ KeyId: "alias/a" }));
    assert.equal(described.KeyMetadata?.KeyState, "PendingDeletion");
    await point("alias/a", other.KeyId);
    await rejectsWith(point("alias/a", key.KeyId), "KMSInvalidStateException", `${key.Arn} is pending deletion.`);
  });
});

describe("ListAliases", () => {
  it("also lists AWS-managed aliases, without target and dates", async (t) => {
    const { key, kms, listed } = await withKey(t);
    await createAlias(kms, "alias/zzz", key);
    await createAlias(kms, "alias/aaa", key);
    const all = await listed();
    const managed = all.filter((alias) => alias.AliasName?.startsWith("alias/aws/"));
    assert.ok(managed.length >= 5);
    for (const alias of managed) {
      const arn = `arn:aws:kms:${region}:${account}:${alias.AliasName}`;
      assert.deepEqual(alias, { AliasName: alias.AliasName, AliasArn: arn });
    }
    assert.equal(all.length, managed.length + 2);
  });

  it("can do without them", async (t) => {
    const { kms } = await startFixture(t, { awsManagedAliases: false });
    assert.deepEqual((await kms.send(new ListAliasesCommand({}))).Aliases, []);
    await rejectsWith(kms.send(new DescribeKeyCommand({ KeyId: "alias/aws/ebs" })), "NotFoundException");
  });

  it("of an unknown key is NotFoundException", async (t) => {
    const { listed } = await withKey(t);
    await rejectsWith(listed("1234abcd-12ab-34cd-56ef-1234567890ab"), "NotFoundException", /does not exist$/);
  });
});
