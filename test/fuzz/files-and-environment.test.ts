import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { pluginCommand } from "../plugin/harness/plugin-command.ts";
import { useStage } from "../plugin/harness/stage.ts";
import { Chance, rounds } from "./seed.ts";
import { assertSound } from "./sound.ts";

describe("nonsense in files and in the environment", () => {
  const stage = useStage();

  it("server id files and policy files: a clear refusal or a configuration, never a new id over an old file", async () => {
    const chance = new Chance(10);
    const plugin = await stage.start();
    const id = join(stage.folder, "id");
    const policy = join(stage.folder, "policy");
    const uuid = "0b5d6a5e-6a3f-4a7c-9f57-0a8f5b1c2d3e";
    const document = JSON.stringify({ Version: "2012-10-17", Statement: [] });
    for (let round = 0; round < rounds(60); round++) {
      const idText = chance.random() < 0.5 ? chance.mutate(Buffer.from(uuid)) : chance.bytes(chance.below(100));
      await writeFile(id, idText);
      await writeFile(policy, chance.random() < 0.5 ? chance.mutate(Buffer.from(document)) : chance.bytes(60));
      const settings = { key_identifier_value: undefined, key_identifier_file: id, key_policy_file: policy };
      await plugin.configure(settings).catch((error: { code: string; details: string }) => {
        assert.match(error.code, /^(FAILED_PRECONDITION|INVALID_ARGUMENT)$/, error.details);
      });
      assert.deepEqual(await readFile(id), Buffer.from(idText), "the file stays as it is");
    }
    await assertSound(plugin);
    await plugin.stop();
  });

  it("PLUGIN_* and AWS_* variables: the process speaks the handshake or ends with a sentence, and soon", async () => {
    const chance = new Chance(11);
    const names = [
      "PLUGIN_UNIX_SOCKET_DIR",
      "PLUGIN_UNIX_SOCKET_GROUP",
      "PLUGIN_PROTOCOL_VERSIONS",
      "PLUGIN_CLIENT_CERT",
      "PLUGIN_MIN_PORT",
      "PLUGIN_MAX_PORT",
      "PLUGIN_MULTIPLEX_GRPC",
      "AWS_REGION",
      "AWS_PROFILE",
      "AWS_ENDPOINT_URL",
      "AWS_MAX_ATTEMPTS",
      "AWS_RETRY_MODE",
      "AWS_CA_BUNDLE",
      "AWS_USE_FIPS_ENDPOINT",
      "AWS_ROLE_ARN",
      "AWS_WEB_IDENTITY_TOKEN_FILE",
    ] as const;
    const values = [
      "",
      "0",
      "-1",
      "1,2,x",
      "/nowhere/at/all",
      "..",
      "\u00e4\u4e2d",
      "x".repeat(3_000),
      "true",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
      "http://[::1",
      "%00",
    ] as const;
    for (let round = 0; round < rounds(12); round++) {
      const chosen = Array.from({ length: 1 + chance.below(3) }, () => [chance.pick(names), chance.pick(values)]);
      const env = {
        PATH: process.env.PATH ?? "",
        HOME: stage.folder,
        KeyManager: "KeyManager",
        ...Object.fromEntries(chosen),
      };
      const { line, code, errors } = await startRaw(env);
      const isHandshake = /^1\|1\|unix\|[^|]+\|grpc\|/.test(line);
      const isRefusal = code === 1 && errors !== "";
      assert.ok(isHandshake || isRefusal, `${JSON.stringify(chosen)}: ${line} ${code} ${errors}`);
      assert.doesNotMatch(errors, /^\s+at /m, "no stack on stderr");
    }
  });
});

/** The first line of stdout, or how the process ended; it is killed in the end. */
function startRaw(env: Record<string, string>): Promise<{ line: string; code: number | null; errors: string }> {
  return new Promise((resolve) => {
    const child = spawn(pluginCommand, { env, stdio: ["ignore", "pipe", "pipe"] });
    let line = "";
    let errors = "";
    let result: { line: string; code: number | null; errors: string } | undefined;
    const timer = setTimeout(() => child.kill("SIGKILL"), 10_000);
    child.stdout.on("data", (chunk: Buffer) => {
      line += chunk;
      if (!line.includes("\n")) return;
      result ??= { line, code: null, errors };
      child.kill("SIGKILL");
    });
    child.stderr.on("data", (chunk: Buffer) => {
      errors += chunk;
    });
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve(result ?? { line, code, errors });
    });
  });
}
