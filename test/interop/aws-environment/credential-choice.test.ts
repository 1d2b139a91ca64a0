/** Every situation in which a server may look for credentials: our choice is the one that the built-in plugin's SDK makes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { rows } from "./credential-rows.ts";
import { ourChoice } from "./our-choice.ts";
import { readChoices } from "./recorded-choices.ts";

describe("the choice of credentials", () => {
  it(`is that of the AWS SDK for Go v2 in ${rows.length} situations`, async () => {
    const choices = await readChoices();
    assert.equal(choices.length, rows.length);
    for (const [index, row] of rows.entries()) {
      assert.equal(await ourChoice(row), choices[index], JSON.stringify(row));
    }
  });
});
