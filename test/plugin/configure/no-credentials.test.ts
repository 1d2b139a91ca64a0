/** What an operator is told where there are no AWS credentials: the profile, every source that was tried, what to set. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { StatusCode } from "../../../src/plugin-sdk/index.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";

const noKeys = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined };
const serverId = { key_identifier_value: "no-credentials" };

/** An address that refuses connections, in place of the machine's metadata service. */
async function closedEndpoint(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert.ok(typeof address === "object" && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

describe("no AWS credentials", () => {
  const stage = useStage();

  /** What Configure answers, and what the log says of it, in an environment. */
  async function refusal(
    env: Readonly<Record<string, string | undefined>>,
    settings = {},
    code: StatusCode = "UNAUTHENTICATED",
  ): Promise<string> {
    const plugin = await stage.start({ env: { ...noKeys, ...env } });
    const told = await expectStatus(plugin.configure({ ...serverId, ...settings }), code);
    const { level, fields } = await plugin.logged(/^AWS credentials could not be had$/);
    assert.equal(level, "warn");
    assert.ok(told.includes(String(fields.reason)), `the log says it too: ${fields.reason}`);
    await plugin.stop();
    return told;
  }

  it("anywhere: names every source with what is missing there, and what to do", async () => {
    const told = await refusal({ AWS_EC2_METADATA_DISABLED: "true" });
    const parts = [
      "no AWS credentials found. Tried: ",
      "environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY not set); ",
      "web identity (AWS_WEB_IDENTITY_TOKEN_FILE not set); ",
      `profile default (${join(stage.folder, "no-aws-credentials")} is not there, ${join(stage.folder, "no-aws-config")} is not there); `,
      "container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI and AWS_CONTAINER_CREDENTIALS_FULL_URI not set); ",
      "EC2 instance (the instance metadata service is switched off by AWS_EC2_METADATA_DISABLED). ",
      "Set access_key_id and secret_access_key or profile, or give SPIRE Server's environment or this machine a role",
    ];
    assert.ok(told.endsWith(parts.join("")), told);
  });

  it("half of the environment's keys: names the one that is missing, and never the other's value", async () => {
    const told = await refusal({ AWS_ACCESS_KEY_ID: "AKIAHALF000000000001" });
    assert.match(told, /environment \(AWS_SECRET_ACCESS_KEY not set\)/);
    assert.doesNotMatch(told, /AKIAHALF/);
  });

  it("a machine that is no EC2 instance", async () => {
    const AWS_EC2_METADATA_SERVICE_ENDPOINT = await closedEndpoint();
    const told = await refusal(
      { AWS_EC2_METADATA_DISABLED: undefined, AWS_EC2_METADATA_SERVICE_ENDPOINT },
      {},
      "UNAVAILABLE",
    );
    assert.ok(
      told.includes(
        `EC2 instance (the instance metadata service ${AWS_EC2_METADATA_SERVICE_ENDPOINT} cannot be reached: `,
      ),
      told,
    );
    assert.doesNotMatch(told, /check the network, the endpoint and the region/);
  });

  it("a profile without credentials, named by AWS_PROFILE, AWS_DEFAULT_PROFILE or the setting", async () => {
    const AWS_CONFIG_FILE = join(stage.folder, "region-only");
    await writeFile(AWS_CONFIG_FILE, "[profile prod]\nregion = us-east-2\n");
    for (const [env, settings] of [
      [{ AWS_PROFILE: "prod" }, {}],
      [{ AWS_DEFAULT_PROFILE: "prod" }, {}],
      [{}, { profile: "prod" }],
    ] as const) {
      const told = await refusal({ ...env, AWS_CONFIG_FILE }, settings);
      assert.ok(
        told.includes(
          `profile prod (${join(stage.folder, "no-aws-credentials")} is not there, ${AWS_CONFIG_FILE} has no credentials in it)`,
        ),
        told,
      );
      // What the setting says comes before the environment, which is not looked at.
      assert.equal(told.includes("environment (AWS_ACCESS_KEY_ID"), !("profile" in settings), told);
    }
  });

  it("a profile that is not there: names it, what asked for it, and the files", async () => {
    const AWS_CONFIG_FILE = join(stage.folder, "other-profile");
    await writeFile(AWS_CONFIG_FILE, "[profile other]\nregion = us-east-2\n");
    for (const [env, settings, by] of [
      [{ AWS_PROFILE: "prod" }, {}, "AWS_PROFILE"],
      [{}, { profile: "prod" }, "the setting profile"],
    ] as const) {
      const told = await refusal({ ...env, AWS_CONFIG_FILE }, settings);
      const states = `${join(stage.folder, "no-aws-credentials")} is not there, ${AWS_CONFIG_FILE} has no such profile`;
      assert.ok(told.endsWith(`there is no profile prod, which ${by} names, in the shared files: ${states}`), told);
    }
  });

  it("a user without a home folder", async () => {
    const preload = fileURLToPath(new URL("../../fixtures/no-home.cjs", import.meta.url));
    const told = await refusal({
      HOME: undefined,
      AWS_CONFIG_FILE: undefined,
      AWS_SHARED_CREDENTIALS_FILE: undefined,
      NODE_OPTIONS: `--require=${preload}`,
    });
    assert.match(told, /profile default \((there is no home folder with shared files in it|\/nonexistent\/\.aws\/)/);
  });

  it("a shared file that SPIRE Server's user may not read", async (test) => {
    const hasSetpriv = spawnSync("setpriv", ["--version"]).status === 0;
    if (process.getuid?.() !== 0 || !hasSetpriv) return test.skip("needs root and setpriv");
    const folder = await mkdtemp(join(tmpdir(), "spire-user-"));
    try {
      await chmod(folder, 0o755);
      const file = join(folder, "credentials");
      await writeFile(file, "[default]\naws_access_key_id = AKIA\naws_secret_access_key = x\n", { mode: 0o600 });
      // A place that another user can run the plugin from.
      const copy = join(folder, "aws_kms");
      execFileSync("cp", [fileURLToPath(new URL("../../../dist/bin/aws_kms", import.meta.url)), copy]);
      const command = join(folder, "as-user");
      await writeFile(command, `#!/bin/sh\nexec setpriv --reuid 54321 --regid 54321 --clear-groups ${copy}\n`, {
        mode: 0o755,
      });
      const plugin = await stage.start({
        command,
        cwd: folder,
        env: { ...noKeys, HOME: folder, AWS_SHARED_CREDENTIALS_FILE: file },
      });
      await expectStatus(
        plugin.configure(serverId),
        "UNAUTHENTICATED",
        /profile default \(\S+\/credentials may not be read by this user, /,
      );
      await plugin.stop();
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
