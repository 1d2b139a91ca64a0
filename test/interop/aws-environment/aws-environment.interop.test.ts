/** Go itself, asked for what is recorded. AWS_ENVIRONMENT_RECORD=1 records its answers anew. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { rows } from "./credential-rows.ts";
import { askGo, type GoAnswer, GoUnavailable } from "./go-answers.ts";
import { refused } from "./our-choice.ts";
import { readChoices, writeChoices } from "./recorded-choices.ts";

async function sdkVersion(): Promise<string> {
  const text = await readFile(join(import.meta.dirname, "go.mod"), "utf8");
  return /aws-sdk-go-v2\/config v\S+/.exec(text)?.[0] ?? "unknown";
}

describe("Go's reading of the environment", { timeout: 400_000 }, () => {
  it("is what is recorded: the choice of credentials", async (test) => {
    let answers: GoAnswer[];
    try {
      answers = await askGo(rows);
    } catch (error) {
      if (error instanceof GoUnavailable) return test.skip(error.message);
      throw error;
    }
    const found = answers.map((answer) => (answer.refused === "" ? answer.found : refused));
    if (process.env.AWS_ENVIRONMENT_RECORD) await writeChoices(await sdkVersion(), found);
    assert.deepEqual(await readChoices(), found);
  });
});
