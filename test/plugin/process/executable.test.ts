import assert from "node:assert/strict";
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { GoPluginError, type GoPluginErrorCode, sha256OfFile } from "../../../src/plugin-sdk/index.ts";
import { startRaw } from "../../go-plugin/raw-plugin.ts";
import { pluginCommand } from "../harness/plugin-command.ts";
import { signMessage } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";

/** Where an operator may copy the one file, and what the package.json beside it says. */
const places: readonly (readonly [title: string, file: string, packageJson: string | undefined])[] = [
  ["an empty folder, under a name with a space", "alone/aws kms", undefined],
  ["a folder of ES modules", "esm/aws_kms", `{ "type": "module" }`],
  ["a folder of CommonJS", "cjs/aws_kms", `{ "type": "commonjs" }`],
];

/** Modules of the plugin, as they would be found by a file that looked for them beside itself. */
const traps = ["@grpc/grpc-js", "@aws-sdk/client-kms", "@bufbuild/protobuf", "valibot"];

describe("the executable is one file that runs wherever it lies", () => {
  const stage = useStage();
  let folder = "";

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "aws-kms-copy-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  async function assertWorks(command: string): Promise<void> {
    const plugin = await stage.start({ command, checksum: await sha256OfFile(command) });
    await plugin.configure({ key_identifier_value: "one-file" });
    const { id } = await plugin.generate("x509-CA-A");
    await signMessage(plugin, id, Buffer.from("message"), "sha256");
    await plugin.stop();
  }

  it("in ASCII, so that V8 keeps its text in one byte a character", async () => {
    const text = await readFile(pluginCommand, "latin1");
    assert.equal(text.match(/^.*[\u0080-\uffff].*$/m)?.[0], undefined);
  });

  for (const [title, file, packageJson] of places) {
    it(`in ${title}, looking at nothing that lies beside it`, async () => {
      const command = join(folder, file);
      await mkdir(dirname(command));
      if (packageJson !== undefined) {
        await writeFile(join(dirname(command), "package.json"), packageJson);
        for (const name of traps) {
          const module = join(dirname(command), "node_modules", name);
          await mkdir(module, { recursive: true });
          await writeFile(join(module, "index.js"), "throw new Error('loaded from outside the checksum');");
        }
      }
      await copyFile(pluginCommand, command);
      await assertWorks(command);
    });
  }

  it("through a symbolic link", async () => {
    const command = join(folder, "linked");
    await symlink(pluginCommand, command);
    await assertWorks(command);
  });

  it("is refused with a wrong checksum, before anything runs", async () => {
    const checksum = await sha256OfFile(pluginCommand);
    const changed = join(folder, "changed");
    await writeFile(changed, Buffer.concat([await readFile(pluginCommand), Buffer.from("\n")]), { mode: 0o755 });
    const refused: readonly (readonly [command: string, checksum: string, code: GoPluginErrorCode])[] = [
      [pluginCommand, checksum.replace(/^./, (digit) => (digit === "0" ? "1" : "0")), "CHECKSUM_MISMATCH"],
      [changed, checksum, "CHECKSUM_MISMATCH"],
      [pluginCommand, "not a checksum", "CHECKSUM_INVALID"],
      [pluginCommand, checksum.slice(2), "CHECKSUM_INVALID"],
    ];
    for (const [command, wrong, code] of refused) {
      await assert.rejects(stage.start({ command, checksum: wrong }), (error) => {
        assert.ok(error instanceof GoPluginError);
        assert.equal(error.code, code);
        return true;
      });
    }
  });

  it("tells a person what it is, how SPIRE is told of it, and its version", async () => {
    const { version } = JSON.parse(await readFile(new URL("../../../package.json", import.meta.url), "utf8"));
    const byHand = startRaw(pluginCommand);
    assert.deepEqual(await byHand.exited, { code: 1, signal: null });
    assert.equal(byHand.stdout(), "");
    assert.match(byHand.stderr(), /^aws_kms .* is a SPIRE KeyManager plugin/);
    assert.match(byHand.stderr(), /--help .* --version/);
    const help = startRaw(pluginCommand, {}, ["--help"]);
    assert.deepEqual(await help.exited, { code: 0, signal: null });
    assert.match(help.stdout(), /KeyManager "aws_kms" \{/);
    assert.ok(help.stdout().includes(`plugin_cmd = "${pluginCommand}"`));
    assert.equal(help.stderr(), "");
    const told = startRaw(pluginCommand, {}, ["--version"]);
    await told.exited;
    assert.equal(told.stdout(), `aws_kms ${version}\n`);
  });
});
