/** Credentials of every kind that AWS and its SDK know, as they come, change and go under the built plugin. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { CallRecord } from "../../src/kms-emulator/index.ts";
import type { Settings } from "../plugin/harness/settings.ts";
import { signMessage } from "../plugin/harness/signing.ts";
import { useStage } from "../plugin/harness/stage.ts";
import { expectStatus } from "../plugin/harness/status.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";

const keyId = "x509-CA-A";
const withoutKeys = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
const user = (name: string) => ({
  accessKeyId: `AKIA${name.toUpperCase().padEnd(16, "0")}`,
  secretAccessKey: `secret/of+${name}/${"x".repeat(20)}`,
  arn: `arn:aws:iam::111122223333:user/${name}`,
});
const alice = user("alice");
const bob = user("bob");
const roleArn = "arn:aws:iam::111122223333:role/infra/spire-server";
/** Without a path, so that the default key policy can name it. */
const plainRoleArn = "arn:aws:iam::111122223333:role/spire-plain";
const externalId = "external+id/of=ours";

const sign = (plugin: TestPlugin) => signMessage(plugin, keyId, Buffer.from("message"), "sha256");

const inFile = (profile: string, { accessKeyId, secretAccessKey }: typeof alice) =>
  `[${profile}]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\n`;

describe("credentials that come late, change and expire", () => {
  const trustPolicy = {
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Principal: { AWS: "arn:aws:iam::111122223333:root" },
        Action: "sts:AssumeRole",
        Condition: { StringEquals: { "sts:ExternalId": externalId } },
      },
    ],
  };
  const emulator = {
    verifySignatures: true,
    authorize: true,
    identities: [alice, bob],
    roles: [
      { arn: roleArn, trustPolicy },
      { arn: plainRoleArn, trustPolicy },
    ],
  };
  const secrets = [alice.secretAccessKey, bob.secretAccessKey, externalId];
  const stage = useStage({ secrets, emulator });

  const assumed = (): readonly CallRecord[] => stage.kms.calls("AssumeRole");
  const role: Settings = { assume_role_arn: roleArn, assume_role_external_id: externalId };
  const aliceInEnvironment = {
    AWS_ACCESS_KEY_ID: alice.accessKeyId,
    AWS_SECRET_ACCESS_KEY: alice.secretAccessKey,
  };

  it("rotated on disk: of fifty signatures at the moment the old ones expire, none fails", async () => {
    const file = join(stage.folder, "credentials");
    await writeFile(file, inFile("default", alice));
    const plugin = await stage.start({ env: { ...withoutKeys, AWS_SHARED_CREDENTIALS_FILE: file } });
    await plugin.configure({ key_identifier_value: "rotated" });
    await plugin.generate(keyId);
    await writeFile(file, inFile("default", bob));
    const expired = stage.kms.fault({
      kind: "error",
      name: "ExpiredTokenException",
      message: "expired",
      match: (_, { accessKeyId }) => accessKeyId === alice.accessKeyId,
    });
    const signatures = await Promise.all(Array.from({ length: 50 }, () => sign(plugin)));
    assert.equal(signatures.length, 50);
    assert.ok(expired.hits > 0);
    assert.equal(stage.kms.calls("Sign").at(-1)?.caller.accessKeyId, bob.accessKeyId);
    expired.remove();
    await plugin.stop();
  });

  it("a role with external id and session name is assumed once for many calls of all clients", async () => {
    stage.kms.forgetCalls();
    const plugin = await stage.start({ env: aliceInEnvironment });
    await plugin.configure({ ...role, key_identifier_value: "role", assume_role_session_name: "spire-1" });
    await plugin.generate(keyId);
    await Promise.all(Array.from({ length: 30 }, () => sign(plugin)));
    assert.equal(assumed().length, 1);
    const { RoleArn, RoleSessionName, ExternalId } = (assumed()[0]?.input ?? {}) as Record<string, string>;
    assert.deepEqual([RoleArn, RoleSessionName, ExternalId], [roleArn, "spire-1", externalId]);
    const arns = new Set(stage.kms.calls("Sign", "GetCallerIdentity", "CreateKey").map(({ caller }) => caller.arn));
    assert.deepEqual([...arns], ["arn:aws:sts::111122223333:assumed-role/spire-server/spire-1"]);
    const policy = JSON.stringify(stage.kms.calls("CreateKey")[0]?.input);
    assert.match(policy, /role\/infra\/spire-server/, "the default key policy has the role's path");
    await plugin.stop();
  });

  it("a session that AWS does not take any more is replaced by another one, at once", async () => {
    const plugin = await stage.start({ env: aliceInEnvironment });
    await plugin.configure({ ...role, key_identifier_value: "session" });
    await plugin.generate(keyId);
    stage.kms.forgetCalls();
    const session = stage.kms.fault({ kind: "error", name: "ExpiredTokenException", operation: "Sign", times: 1 });
    await sign(plugin);
    assert.equal(session.hits, 1);
    assert.equal(assumed().length, 1);
    await plugin.stop();
  });

  it("a role that may not be assumed: PERMISSION_DENIED names sts:AssumeRole", async () => {
    const plugin = await stage.start({ env: aliceInEnvironment });
    const wrong = plugin.configure({ ...role, assume_role_external_id: "another" });
    await expectStatus(wrong, "PERMISSION_DENIED", /AssumeRole: AccessDenied/, /allow sts:AssumeRole/, /external id/);
    await plugin.stop();
  });

  it("STS out of order before anything could be assumed: UNAVAILABLE, and nothing was created", async () => {
    const plugin = await stage.start({ env: aliceInEnvironment });
    const fault = stage.kms.fault({ kind: "error", name: "InternalFailure", status: 500, operation: "AssumeRole" });
    await expectStatus(plugin.configure({ ...role, key_identifier_value: "out" }), "UNAVAILABLE", /AssumeRole/);
    fault.remove();
    await plugin.configure({ ...role, key_identifier_value: "out" });
    await plugin.stop();
  });

  it("a profile that assumes a role from another profile", async () => {
    const file = join(stage.folder, "profiles");
    await writeFile(file, inFile("base", alice));
    const config = join(stage.folder, "config");
    await writeFile(
      config,
      `[profile spire]\nrole_arn=${plainRoleArn}\nsource_profile=base\nexternal_id=${externalId}\nrole_session_name=from-profile\n`,
    );
    const env = { ...withoutKeys, AWS_SHARED_CREDENTIALS_FILE: file, AWS_CONFIG_FILE: config };
    stage.kms.forgetCalls();
    const plugin = await stage.start({ env });
    await plugin.configure({ profile: "spire", key_identifier_value: "profile" });
    await plugin.generate(keyId);
    await sign(plugin);
    assert.equal(assumed().length, 1);
    assert.match(stage.kms.calls("Sign")[0]?.caller.arn ?? "", /spire-plain\/from-profile$/);
    await plugin.stop();
  });
});

describe("a session that is about to end", () => {
  // Sessions of an hour, of which four minutes are left when they are handed out.
  const clock = { now: () => Date.now() - 56 * 60_000, advance: () => undefined };
  const identities = [alice];
  const stage = useStage({ secrets: [alice.secretAccessKey], emulator: { clock, identities, verifySignatures: true } });

  it("is renewed ahead of time, and an outage of STS does not stop signing while it is good", async () => {
    const env = { AWS_ACCESS_KEY_ID: alice.accessKeyId, AWS_SECRET_ACCESS_KEY: alice.secretAccessKey };
    const since = performance.now();
    const plugin = await stage.start({ env });
    await plugin.configure({ assume_role_arn: roleArn });
    await plugin.generate(keyId);
    const before = stage.kms.calls("AssumeRole").length;
    const outage = stage.kms.fault({ kind: "error", name: "InternalFailure", status: 500, operation: "AssumeRole" });
    for (let signatures = 0; signatures < 20; signatures++) await sign(plugin);
    // It is tried again after ten seconds at the earliest: a machine that takes longer from the start on may see more.
    const mayBeTried = 1 + Math.floor((performance.now() - since) / 10_000);
    assert.ok(outage.hits <= mayBeTried, `${outage.hits} attempts to renew where ${mayBeTried} may be`);
    assert.ok(before <= 2, `${before} sessions at start`);
    outage.remove();
    await plugin.stop();
  });
});

describe("a web identity", () => {
  const stage = useStage({ emulator: { identities: [alice] } });

  it("a web identity token that is mounted two seconds late", async () => {
    const file = join(stage.folder, "token");
    const env = {
      ...withoutKeys,
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/web",
      AWS_ROLE_SESSION_NAME: "web",
    };
    const plugin = await stage.start({ env });
    const configured = plugin.configure({ key_identifier_value: "web" });
    await delay(2_000);
    const part = (claims: object) => Buffer.from(JSON.stringify(claims)).toString("base64url");
    const exp = Math.floor(Date.now() / 1000) + 3_600;
    const claims = {
      iss: "https://oidc.example.org",
      sub: "system:serviceaccount:spire",
      aud: "sts.amazonaws.com",
      exp,
    };
    await writeFile(file, `${part({ alg: "ES256", kid: "1" })}.${part(claims)}.${"A".repeat(86)}`);
    await configured;
    await plugin.generate(keyId);
    await sign(plugin);
    assert.match(stage.kms.calls("Sign").at(-1)?.caller.arn ?? "", /assumed-role\/web\/web$/);
    await plugin.stop();
  });
});
