/** The finished executable, looked at as SPIRE would. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { checkPlugin, formatReport } from "spire-plugin-sdk/testing";

it("is a plugin as SPIRE wants it", async () => {
  const pluginData = readFileSync("test/plugin_data.hcl", "utf8");
  const report = await checkPlugin("dist/command_authority", { type: "UpstreamAuthority", pluginData });
  assert.ok(report.isFit, formatReport(report));
});
