import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { signMessage } from "../plugin/harness/signing.ts";
import { credentials, useStage } from "../plugin/harness/stage.ts";
import { expectStatus } from "../plugin/harness/status.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";
import { kmsCommand, kmsData } from "./kms-command.ts";

/** The permissions that the original plugin's page lists. */
const listed = [
  "CreateAlias",
  "CreateKey",
  "DescribeKey",
  "GetPublicKey",
  "ListAliases",
  "ScheduleKeyDeletion",
  "Sign",
  "UpdateAlias",
] as const;

const account = "111122223333";

/** A role that may do this and nothing else. */
const role = (accessKeyId: string, operations: readonly string[]) => ({
  accessKeyId,
  secretAccessKey: credentials.secretAccessKey,
  arn: `arn:aws:sts::${account}:assumed-role/spire-${accessKeyId}/server`,
  policies: [
    {
      Version: "2012-10-17",
      Statement: [{ Effect: "Allow", Action: operations.map((name) => `kms:${name}`), Resource: "*" }],
    },
  ],
});

const accessKeyWithout = (operation: string) => `AKIAWITHOUT${operation.toUpperCase()}`;

describe("the original's list of permissions, by the evaluation of policies", () => {
  const without = listed.map((operation) =>
    role(
      accessKeyWithout(operation),
      listed.filter((name) => name !== operation),
    ),
  );
  const stage = useStage({
    pluginCommand: kmsCommand,
    emulator: { authorize: true, identities: [role(credentials.accessKeyId, listed), ...without] },
  });

  async function server(key_prefix: string, accessKeyId = credentials.accessKeyId): Promise<TestPlugin> {
    const plugin = await stage.start({ env: { AWS_ACCESS_KEY_ID: accessKeyId } });
    await plugin.configureText(kmsData({ key_prefix }));
    return plugin;
  }

  it("is enough for a server's whole life", async () => {
    const plugin = await server("life/");
    await plugin.generate("x509-CA-A");
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    const { fingerprint } = await plugin.generate("x509-CA-A");
    await scheduled;
    await signMessage(plugin, "x509-CA-A", Buffer.from("message"), "sha256");
    await plugin.stop();
    const restarted = await server("life/");
    assert.deepEqual(await restarted.fingerprints(), new Map([["x509-CA-A", fingerprint]]));
    await restarted.stop();
    const calls = stage.kms.calls();
    assert.deepEqual([...new Set(calls.map(({ operation }) => operation))].sort(), [...listed]);
    assert.deepEqual(
      calls.filter(({ outcome }) => outcome !== "ok"),
      [],
      "nothing was tried that is not allowed",
    );
  });

  /** What fails without each permission, and is told with its name. */
  const failing: Readonly<Record<string, (plugin: TestPlugin) => Promise<unknown>>> = {
    CreateKey: (plugin) => plugin.generate("new"),
    CreateAlias: (plugin) => plugin.generate("new"),
    UpdateAlias: (plugin) => plugin.generate("x509-CA-A"),
    Sign: (plugin) => signMessage(plugin, "x509-CA-A", Buffer.from("message"), "sha256"),
    ListAliases: (plugin) => plugin.configureText(kmsData({ key_prefix: "life/" })),
    DescribeKey: (plugin) => plugin.configureText(kmsData({ key_prefix: "life/" })),
    GetPublicKey: (plugin) => plugin.configureText(kmsData({ key_prefix: "life/" })),
  };

  for (const [operation, fails] of Object.entries(failing)) {
    it(`tells that kms:${operation} is missing`, async () => {
      const plugin = await stage.start({ env: { AWS_ACCESS_KEY_ID: accessKeyWithout(operation) } });
      if (!["ListAliases", "DescribeKey", "GetPublicKey"].includes(operation)) {
        await plugin.configureText(kmsData({ key_prefix: "life/" }));
      }
      await expectStatus(
        fails(plugin),
        "PERMISSION_DENIED",
        new RegExp(`${operation}: AccessDeniedException`),
        new RegExp(`; allow kms:${operation} for this identity in its IAM policy`),
      );
      await plugin.host.kill();
    });
  }

  it("tells in the log that kms:ScheduleKeyDeletion is missing, and marks the key for a better day", async () => {
    const plugin = await server("late/", accessKeyWithout("ScheduleKeyDeletion"));
    const { fingerprint } = await plugin.generate("x509-CA-A");
    const reminded = stage.kms.done("CreateAlias");
    await plugin.generate("x509-CA-A");
    const { fields } = await plugin.logged(/Failed to schedule key deletion/);
    assert.match(String(fields.reason), /ScheduleKeyDeletion: AccessDeniedException/);
    await reminded;
    await plugin.host.kill();
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    const able = await server("late/");
    const { input } = await scheduled;
    await able.stop();
    const replaced = await stage.kms.key((input as { KeyId: string }).KeyId);
    assert.equal(replaced.state, "PendingDeletion");
    assert.notEqual(fingerprint, "");
  });
});
