import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Settings } from "../harness/settings.ts";
import { publicKeyOf, signMessage, verifies } from "../harness/signing.ts";
import { credentials, useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

const secretOf = () => `Zz+/${randomBytes(27).toString("base64")}`;
const server = { accessKeyId: "AKIASPIRESERVER00001", secretAccessKey: secretOf() };
const session = {
  accessKeyId: "ASIASPIRESESSION0001",
  secretAccessKey: secretOf(),
  sessionToken: secretOf() + secretOf(),
};
const wrong = { secretAccessKey: secretOf(), sessionToken: secretOf() };

/** The permissions of the plugin's documentation, and no more; `kms:TagResource` is for `key_tags`. */
const documentedPermissions = [
  "kms:CreateAlias",
  "kms:CreateKey",
  "kms:DescribeKey",
  "kms:GetPublicKey",
  "kms:ListKeys",
  "kms:ListAliases",
  "kms:ScheduleKeyDeletion",
  "kms:Sign",
  "kms:TagResource",
  "kms:UpdateAlias",
  "kms:DeleteAlias",
];

const policies = [
  { Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: documentedPermissions, Resource: "*" }] },
];

/** An identity that may do all that is needed without `key_tags`. */
const untagging = { accessKeyId: "AKIAMAYNOTTAG0000001", secretAccessKey: secretOf() };
const withoutTagging = documentedPermissions.filter((action) => action !== "kms:TagResource");

const withoutKeys = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };

interface CredentialsCase {
  readonly title: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly settings?: Settings;
  readonly words?: readonly RegExp[];
}

const works: readonly CredentialsCase[] = [
  {
    title: "keys of plugin_data, before those of the environment",
    settings: { access_key_id: server.accessKeyId, secret_access_key: server.secretAccessKey },
  },
  {
    title: "keys of the environment",
    env: { AWS_ACCESS_KEY_ID: server.accessKeyId, AWS_SECRET_ACCESS_KEY: server.secretAccessKey },
  },
  {
    title: "a session of the environment",
    env: {
      AWS_ACCESS_KEY_ID: session.accessKeyId,
      AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
      AWS_SESSION_TOKEN: session.sessionToken,
    },
  },
  {
    title: "a session of plugin_data",
    env: withoutKeys,
    settings: {
      access_key_id: session.accessKeyId,
      secret_access_key: session.secretAccessKey,
      session_token: session.sessionToken,
    },
  },
];

const refused: readonly CredentialsCase[] = [
  {
    title: "an access key that AWS does not know",
    settings: { access_key_id: "AKIANOBODY0000000001", secret_access_key: wrong.secretAccessKey },
    words: [/ListAliases: UnrecognizedClientException/],
  },
  {
    title: "a wrong secret",
    settings: { access_key_id: server.accessKeyId, secret_access_key: wrong.secretAccessKey },
    words: [/ListAliases: InvalidSignatureException/],
  },
  {
    title: "a session without its token",
    settings: { access_key_id: session.accessKeyId, secret_access_key: session.secretAccessKey },
    words: [/ListAliases: UnrecognizedClientException/],
  },
  {
    title: "a session with another token",
    settings: {
      access_key_id: session.accessKeyId,
      secret_access_key: session.secretAccessKey,
      session_token: wrong.sessionToken,
    },
    words: [/ListAliases: UnrecognizedClientException/],
  },
  {
    title: "none anywhere",
    words: [
      /CredentialsProviderError/,
      /no AWS credentials found\. Tried: .*\. Set access_key_id and secret_access_key or profile/,
    ],
  },
];

const secrets = [
  untagging.secretAccessKey,
  server.secretAccessKey,
  session.secretAccessKey,
  session.sessionToken,
  ...Object.values(wrong),
];

describe("credentials, on a KMS that verifies signatures and evaluates policies", () => {
  const arn = "arn:aws:sts::111122223333:assumed-role/spire-server/i-0abc";
  const emulator = {
    verifySignatures: true,
    authorize: true,
    identities: [
      { ...server, arn, policies },
      { ...session, arn, policies },
      { ...credentials, arn: "arn:aws:iam::111122223333:user/powerless", policies: [] },
      {
        ...untagging,
        arn: "arn:aws:sts::111122223333:assumed-role/untagging/i-0abc",
        policies: [{ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: withoutTagging, Resource: "*" }] }],
      },
    ],
    roles: [{ arn: "arn:aws:iam::111122223333:role/spire-server", policies }],
  };
  const stage = useStage({ secrets, emulator });
  /** A plugin without any credentials but those of its settings. */
  let withoutCredentials: TestPlugin | undefined;

  for (const [index, { title, env, settings }] of works.entries()) {
    it(`${title}: the documented permissions are enough for everything`, async () => {
      const identity = { key_identifier_value: `server-${index}`, key_tags: { Team: "security" }, ...settings };
      const plugin = await stage.start(env === undefined ? {} : { env });
      await plugin.configure(identity);
      const first = await plugin.generate("x509-CA-A");
      const scheduled = stage.kms.done("ScheduleKeyDeletion");
      const key = await plugin.generate("x509-CA-A");
      await scheduled;
      assert.notEqual(key.fingerprint, first.fingerprint);
      await plugin.configure(identity);
      const message = Buffer.from("message");
      const { signature, keyFingerprint } = await signMessage(plugin, "x509-CA-A", message, "sha256");
      assert.equal(keyFingerprint, key.fingerprint);
      assert.ok(verifies(publicKeyOf(key), message, "sha256", signature));
      await plugin.stop();
    });
  }

  for (const { title, settings, words = [] } of refused) {
    it(`${title}: UNAUTHENTICATED, and what to do about it`, async () => {
      withoutCredentials ??= await stage.start({ env: withoutKeys });
      await expectStatus(withoutCredentials.configure(settings), "UNAUTHENTICATED", /credentials/, ...words);
    });
  }

  it("an identity that may do nothing: PERMISSION_DENIED", async () => {
    const plugin = await stage.start();
    await expectStatus(
      plugin.configure(),
      "PERMISSION_DENIED",
      /ListAliases: AccessDeniedException/,
      /kms:ListAliases/,
    );
    await plugin.stop();
  });

  it("key_tags without kms:TagResource: PERMISSION_DENIED names it, no key is made, and without tags it works", async () => {
    const env = { AWS_ACCESS_KEY_ID: untagging.accessKeyId, AWS_SECRET_ACCESS_KEY: untagging.secretAccessKey };
    const plugin = await stage.start({ env });
    const settings = { key_identifier_value: "untagging" };
    await plugin.configure({ ...settings, key_tags: { Team: "security" } });
    const before = (await stage.kms.keys()).length;
    await expectStatus(plugin.generate("x509-CA-A"), "PERMISSION_DENIED", /allow kms:TagResource/);
    assert.equal((await stage.kms.keys()).length, before);
    await plugin.configure(settings);
    await plugin.generate("x509-CA-A");
    await plugin.stop();
  });

  it("credentials in files of the default chain, and a profile", async () => {
    const file = join(stage.folder, "credentials");
    const lines = [
      "[prod]",
      `aws_access_key_id=${server.accessKeyId}`,
      `aws_secret_access_key=${server.secretAccessKey}`,
    ];
    await writeFile(file, `${lines.join("\n")}\n`);
    const env = { ...withoutKeys, AWS_PROFILE: "prod", AWS_SHARED_CREDENTIALS_FILE: file };
    const plugin = await stage.start({ env });
    await plugin.configure();
    await plugin.stop();
  });

  it("a profile with a Region alone beside keys of the environment, and AWS_DEFAULT_PROFILE", async () => {
    const file = join(stage.folder, "config");
    await writeFile(
      file,
      "[default]\nregion = us-east-1\n[profile local]\nservices = x\n[services x]\nkms =\n  a = b\n",
    );
    for (const AWS_DEFAULT_PROFILE of [undefined, "local"]) {
      const env = { ...works[1]?.env, AWS_CONFIG_FILE: file, AWS_DEFAULT_PROFILE };
      const plugin = await stage.start({ env });
      await plugin.configure();
      await plugin.stop();
    }
  });

  it("a user without HOME and without an entry in passwd", async () => {
    const preload = fileURLToPath(new URL("../../fixtures/no-home.cjs", import.meta.url));
    const env = { ...works[1]?.env, HOME: undefined, NODE_OPTIONS: `--require=${preload}` };
    const plugin = await stage.start({ env });
    await plugin.configure({ key_identifier_value: "homeless" });
    await plugin.generate("x509-CA-A");
    await plugin.stop();
  });

  it("a pipe in place of a shared file: told by name, and nothing waits for it", async () => {
    const pipe = join(stage.folder, "pipe");
    await promisify(execFile)("mkfifo", [pipe]);
    const plugin = await stage.start({ env: { ...works[1]?.env, AWS_CONFIG_FILE: pipe } });
    await expectStatus(plugin.configure(), "UNAUTHENTICATED", /pipe is not a regular file/);
    const { access_key_id, secret_access_key } = works[0]?.settings ?? {};
    await plugin.configure({ key_identifier_value: "pipe", access_key_id, secret_access_key });
    await plugin.generate("x509-CA-A");
    await plugin.stop();
  });

  it("a clock that is an hour off is corrected by AWS's own Date, and nothing fails", async () => {
    stage.emulator.control.advance(3_600_000);
    const { env } = works[1] ?? {};
    const plugin = await stage.start(env === undefined ? {} : { env });
    await plugin.configure({ key_identifier_value: "skewed" });
    await plugin.generate("x509-CA-A");
    await signMessage(plugin, "x509-CA-A", Buffer.from("message"), "sha256");
    await plugin.stop();
  });
});
