/** The examples for test projects do what they say; that with vitest is in examples.interop.test.ts. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A test runner that finds itself inside another one reports to it, and ends well whatever it has found. */
const { NODE_TEST_CONTEXT: _, ...env } = process.env;

describe("examples", () => {
  it("kms-node-test passes under node --test", { timeout: 300_000 }, () => {
    const file = join(root, "examples/kms-node-test/keys.test.mjs");
    const args = ["--test", "--test-reporter=tap", file];
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8", env });
    assert.equal(status, 0, `${stdout}${stderr}`);
    assert.match(stdout, /^# pass 2$/m);
  });
});
