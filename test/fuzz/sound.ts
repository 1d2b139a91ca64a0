import assert from "node:assert/strict";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";

/** What must be true of a plugin after any nonsense: it lives, it answers, and it never met an error it did not know. */
export async function assertSound(plugin: TestPlugin): Promise<void> {
  await plugin.host.ping({ timeoutMs: 10_000 });
  const defects = plugin.logs.filter(({ message }) => /crashed|failed unexpectedly/.test(message));
  assert.deepEqual(defects, []);
  assert.deepEqual(
    plugin.said.filter((text) => /unexpected error|is not a function|Cannot read prop|is not iterable/.test(text)),
    [],
  );
}
