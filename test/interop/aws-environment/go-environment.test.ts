/** What the built-in plugin's libraries make of an environment, we make of it: credentials and proxies. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { rows } from "./credential-rows.ts";
import { ourChoice } from "./our-choice.ts";
import { ourProxy } from "./our-proxy.ts";
import { proxyRows } from "./proxy-rows.ts";
import { readRecording } from "./recorded.ts";

describe("the environment", () => {
  it(`leads to the credentials that the AWS SDK for Go v2 chooses, in ${rows.length} situations`, async () => {
    const choices = await readRecording("go-choices.json");
    assert.equal(choices.length, rows.length);
    for (const [index, row] of rows.entries()) {
      assert.equal(await ourChoice(row), choices[index], JSON.stringify(row));
    }
  });

  it(`leads to the proxy that Go's HTTP client takes, in ${proxyRows.length} situations`, async () => {
    const proxies = await readRecording("go-proxies.json");
    assert.equal(proxies.length, proxyRows.length);
    assert.ok(new Set(proxies).size > 5);
    for (const [index, row] of proxyRows.entries()) {
      assert.equal(ourProxy(row), proxies[index], JSON.stringify(row));
    }
  });
});
