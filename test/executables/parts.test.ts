/** What stands behind a plugin's head: parts that are read once, each by the sum that the head has of it. */
import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { startRaw } from "../go-plugin/raw-plugin.ts";

const executable = fileURLToPath(new URL("../../dist/bin/aws_kms", import.meta.url));
const cookie = { KeyManager: "KeyManager" };

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "aws-kms-parts-"));
});
after(() => rm(folder, { recursive: true, force: true }));

describe("a plugin's file", () => {
  it("has a head that says its own length, and all the rest in one comment", async () => {
    const text = await readFile(executable, "latin1");
    const length = Number(/Buffer\.alloc\( *(\d+)\)/.exec(text)?.[1]);
    assert.ok(length > 10_000 && length < 100_000, String(length));
    assert.ok(text.slice(0, length).endsWith(`})(typeof require === "function" ? require : undefined);\n`));
    const rest = text.slice(length);
    assert.ok(rest.startsWith("\n/*\n") && rest.endsWith("\n*/\n"));
    assert.equal(rest.indexOf("*/"), rest.length - 3, "no part ends the comment");
    assert.doesNotMatch(text, /[^\n\t\x20-\x7e]/, "a character is a byte");
  });

  it("does not run what it was not built with", async () => {
    const text = await readFile(executable, "latin1");
    const word = "startPluginServer";
    const at = text.lastIndexOf(word);
    assert.ok(at > 100_000, "it is behind the head");
    const path = join(folder, "aws_kms");
    await writeFile(path, text.slice(0, at) + word.toUpperCase() + text.slice(at + word.length), "latin1");
    await chmod(path, 0o755);
    const plugin = startRaw(path, cookie);
    const { code } = await plugin.exited;
    assert.equal(code, 1);
    assert.match(
      plugin.stderr(),
      /the plugin cannot start: .*aws_kms was replaced while it was started; start it again/,
    );
  });
});
