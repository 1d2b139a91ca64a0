/**
 * An earlier build beside today's in one trust domain, there and back: no key is lost, none is pruned. The earlier tree is
 * taken from the repository's history and built with the libraries of today.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { kmsData } from "../kms/kms-command.ts";
import { pluginCommand } from "../plugin/harness/plugin-command.ts";
import { pluginData, type Settings } from "../plugin/harness/settings.ts";
import { signMessage } from "../plugin/harness/signing.ts";
import { useStage } from "../plugin/harness/stage.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";

/** The build that the record is of. */
const formerCommit = "73614249f438766537f512c977a8029b86037188";
const root = fileURLToPath(new URL("../..", import.meta.url));

const git = (...args: readonly string[]) => spawnSync("git", ["-C", root, ...args], { maxBuffer: 1 << 28 });
const hasHistory = git("cat-file", "-e", `${formerCommit}^{commit}`).status === 0;
const options = hasHistory ? {} : { skip: `the history does not go back to ${formerCommit}` };

/** Scans begin at once and act at once: what they would prune, they prune here. */
const scans: Settings = { scan_start_delay: "0s", prune_confirm_delay: "0s" };

describe("an earlier build beside today's", options, () => {
  const stage = useStage();
  const folder = mkdtempSync(join(tmpdir(), "former-build-"));

  before(() => {
    const { stdout } = git("archive", formerCommit);
    assert.equal(spawnSync("tar", ["-x", "-C", folder], { input: stdout }).status, 0);
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    mkdirSync(join(folder, "dist"), { recursive: true });
    const built = spawnSync(process.execPath, ["scripts/build.mjs"], { cwd: folder, encoding: "utf8" });
    assert.equal(built.status, 0, built.stderr);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const commands = (program: string) => ({
    former: join(folder, "dist/bin", program),
    today: join(dirname(pluginCommand), program),
  });

  async function start(command: string, text: string): Promise<TestPlugin> {
    const plugin = await stage.start({ command });
    await plugin.configureText(text);
    return plugin;
  }

  for (const [title, program, text] of [
    ["by aliases", "aws_kms", (id: string) => pluginData({ ...scans, key_identifier_value: id })],
    [
      "by tags",
      "aws_kms",
      (id: string) =>
        pluginData({ ...scans, key_identifier_value: `${id}-tags`, enable_tag_based_key_discovery: true }),
    ],
    ["kms", "kms", (id: string) => kmsData({ key_prefix: `${id}/` })],
  ] as const) {
    it(`${title}: a server is updated, rotates, and goes back`, async () => {
      const { former, today } = commands(program);
      let expected = new Map<string, string>();
      for (const [round, command] of [former, today, former, today].entries()) {
        const plugin = await start(command, text("moving"));
        assert.deepEqual(await plugin.fingerprints(), expected, `round ${round}`);
        if (round === 0) await plugin.generate("JWT-Signer-A");
        await plugin.generate("x509-CA-A");
        const { keyFingerprint } = await signMessage(plugin, "JWT-Signer-A", Buffer.from("m"), "sha256");
        expected = new Map(await plugin.fingerprints());
        assert.equal(keyFingerprint, expected.get("JWT-Signer-A"));
        await plugin.stop();
      }
    });

    it(`${title}: two servers side by side keep their keys, whoever scans`, async () => {
      const { former, today } = commands(program);
      const servers = [await start(former, text("one")), await start(today, text("two"))];
      for (const server of servers) await server.generate("x509-CA-A");
      // Both start again, so that each scans what the other uses.
      const again = [await start(former, text("one")), await start(today, text("two"))];
      if (program === "aws_kms") for (const server of again) await server.logged(/^Configured$/);
      for (const [index, server] of again.entries()) {
        const { keyFingerprint } = await signMessage(server, "x509-CA-A", Buffer.from("m"), "sha256");
        assert.equal((await servers[index]?.fingerprints())?.get("x509-CA-A"), keyFingerprint);
        assert.equal(
          server.logs.filter(({ message }) => message === "Key scheduled for deletion").length,
          0,
          "nothing was pruned",
        );
      }
      for (const server of [...servers, ...again]) await server.stop();
    });
  }
});
