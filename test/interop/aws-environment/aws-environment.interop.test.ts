/** Go itself, asked for what is recorded. AWS_ENVIRONMENT_RECORD=1 records its answers anew. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { rows } from "./credential-rows.ts";
import { askGo, type GoAnswer, GoUnavailable } from "./go-answers.ts";
import { refused } from "./our-choice.ts";
import { plainProxy } from "./our-proxy.ts";
import { proxyRows } from "./proxy-rows.ts";
import { readRecording, writeRecording } from "./recorded.ts";

describe("Go's reading of the environment", { timeout: 400_000 }, () => {
  it("is what is recorded: credentials and proxies", async (test) => {
    let answers: GoAnswer[];
    try {
      answers = await askGo([...rows, ...proxyRows]);
    } catch (error) {
      if (error instanceof GoUnavailable) return test.skip(error.message);
      throw error;
    }
    const choices = answers.slice(0, rows.length).map((answer) => (answer.refused === "" ? answer.found : refused));
    const proxies = answers.slice(rows.length).map(({ found }) => plainProxy(found));
    if (process.env.AWS_ENVIRONMENT_RECORD) {
      await writeRecording("go-choices.json", choices);
      await writeRecording("go-proxies.json", proxies);
    }
    assert.deepEqual(await readRecording("go-choices.json"), choices);
    assert.deepEqual(await readRecording("go-proxies.json"), proxies);
  });
});
