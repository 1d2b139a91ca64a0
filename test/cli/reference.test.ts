/** docs/cli.md is what the commands say of themselves. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { Argument, Command, Option } from "commander";
import { referenceOf, referencePath } from "../../scripts/cli-reference.ts";
import { programOf } from "../../src/cli/program.ts";

describe("docs/cli.md", () => {
  it("is up to date (npm run docs:cli makes it)", () => {
    assert.equal(readFileSync(referencePath, "utf8"), referenceOf(programOf()));
  });

  it("shows of a command all that its help shows", () => {
    const tool = new Command("tool").description("Top").addCommand(
      new Command("sub")
        .description("Does <that>.")
        .addArgument(new Argument("<file>", "what to read"))
        .addArgument(new Argument("[more...]", "others"))
        .addOption(new Option("--form <form>", "of output").choices(["json", "text"]).default("text").env("FORM"))
        .requiredOption("--to <name>", "a | b")
        .option("--fast", "quickly", false)
        .addOption(new Option("--secret").hideHelp())
        .addHelpText("after", "\nExit codes: 0 done\n\nExamples:\n  tool sub <file>\n"),
    );
    const page = referenceOf(tool);
    for (const text of [
      "| `sub` | Does &lt;that>. |",
      "## tool sub\n\nDoes &lt;that>.\n\n```text\ntool sub [options] <file> [more...]\n```",
      "| `<file>` | what to read |\n| `[more...]` | others |",
      "| `--form <form>` | of output (one of json, text; default: text; or the variable FORM) |",
      "| `--to <name>` | a \\| b (must be given) |",
      "| `--fast` | quickly |",
      "```text\nExit codes: 0 done\n\nExamples:\n  tool sub <file>\n```",
    ]) {
      assert.ok(page.includes(text), `${text}\n\nin\n\n${page}`);
    }
    assert.doesNotMatch(page, /secret/);
  });
});
