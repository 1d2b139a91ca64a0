/** Which Regions are remarked, and that the list is the AWS SDK's. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { parseConfig } from "../aws-kms/settings.ts";
import { parseKmsConfig } from "../kms/settings.ts";
import { readPluginData } from "./plugin-data.ts";
import { knownRegions, regionWarning } from "./regions.ts";

const identity = 'key_identifier_value = "a"';
const parse = (text: string) => parseConfig("example.org", readPluginData(`${text}\n${identity}`));

describe("the Region", () => {
  it("is known when the AWS SDK knows it", () => {
    const path = "@aws-sdk/core/dist-es/submodules/client/util-endpoints/lib/aws/partitions.js";
    const file = fileURLToPath(new URL(`../../../node_modules/${path}`, import.meta.url));
    const listed = [...readFileSync(file, "utf8").matchAll(/^ {16}"([a-z0-9-]+-\d)": \{/gm)].map(([, name]) => name);
    assert.ok(listed.length > 40);
    assert.deepEqual([...knownRegions].sort(), listed.sort());
  });

  it("that cannot be one is an error", () => {
    for (const region of ["5", "12-3", "us-east-2a", "us east 2"]) {
      assert.match(parse(`region = "${region}"`).problems.join(), /^region: /, region);
    }
  });

  it("that is not known is a warning, which names the nearest", () => {
    for (const { problems, warnings, config } of [
      parse('region = "us-east-22"'),
      parseKmsConfig("example.org", readPluginData('region = "us-east-22"')),
    ]) {
      assert.deepEqual(problems, []);
      assert.equal(config?.region, "us-east-22");
      assert.match(warnings.join(), /^region: "us-east-22" is no Region that .*; did you mean us-east-2\?$/);
    }
    assert.match(regionWarning("mars") ?? "", /wrong place$/);
  });

  it("that is known, or behind an endpoint of its own, is nothing to speak of", () => {
    assert.deepEqual(parse('region = "eu-central-2"').warnings, []);
    assert.deepEqual(parse('region = "local"\nendpoint = "https://kms.example.org"').warnings, []);
  });
});
