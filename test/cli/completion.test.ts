/** Completion in real shells; zsh and fish where this machine has them. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { bashCompletion } from "../../src/cli/completion/bash.ts";
import { wordsOf } from "../../src/cli/completion/command-words.ts";
import { fishCompletion } from "../../src/cli/completion/fish.ts";
import { zshCompletion } from "../../src/cli/completion/zsh.ts";
import { programOf } from "../../src/cli/program.ts";

const words = wordsOf(programOf());
const shells = { bash: bashCompletion(words), zsh: zshCompletion(words), fish: fishCompletion(words) } as const;
type Shell = keyof typeof shells;

describe("completion", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "completion-"));
    for (const [shell, script] of Object.entries(shells)) writeFileSync(join(folder, shell), script);
    writeFileSync(join(folder, "server one.conf"), "");
    mkdirSync(join(folder, "serverfolder"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  function run(shell: Shell, t: TestContext, script: string, ...args: readonly string[]): string | undefined {
    const options = { cwd: folder, encoding: "utf8", timeout: 120_000, input: script } as const;
    const { error, stdout, stderr } = spawnSync(shell, [...args], {
      ...options,
      env: { ...process.env, HOME: folder },
    });
    if (error !== undefined && (error as NodeJS.ErrnoException).code === "ENOENT") {
      t.skip(`${shell} is not installed`);
      return undefined;
    }
    assert.equal(stderr, "");
    return stdout;
  }

  const inBash = (t: TestContext, ...typed: readonly string[]): string[] => {
    const all = ["spire-aws-kms", ...typed].map((word) => `'${word}'`).join(" ");
    const script = `source ./bash; COMP_WORDS=(${all}); COMP_CWORD=${typed.length}; _spire_aws_kms; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return (run("bash", t, script, "--norc", "-s") ?? "").split("\n").filter(Boolean);
  };
  const inFish = (t: TestContext, typed: string): string[] | undefined =>
    run("fish", t, "", "--no-config", "-c", `source ./fish; complete -C ${JSON.stringify(`spire-aws-kms ${typed}`)}`)
      ?.split("\n")
      .filter(Boolean)
      .map((line) => line.split("\t")[0] ?? "");

  it("knows every command and every option that --help shows", () => {
    const program = programOf();
    const names = program.commands.map((command) => command.name());
    assert.deepEqual(words.commands.map(({ name }) => name).sort(), names.filter((name) => name !== "help").sort());
    for (const command of words.commands) {
      const help = program.commands.find((one) => one.name() === command.name)?.helpInformation() ?? "";
      const shown = [...help.matchAll(/^\s+(?:-\w, )?(--[\w-]+)/gm)].map(([, name]) => name);
      const known = command.options.flatMap((option) => option.names);
      assert.deepEqual(
        shown.filter((name) => !known.includes(name ?? "")),
        [],
        command.name,
      );
      for (const script of Object.values(shells)) assert.ok(script.includes(command.name));
    }
  });

  it("works in bash", (t) => {
    assert.deepEqual(inBash(t, "repo"), ["report"]);
    assert.ok(inBash(t, "").includes("emulator"));
    assert.deepEqual(inBash(t, "help", "repo"), ["report"]);
    assert.deepEqual(inBash(t, "report", "--hi"), ["--history"]);
    assert.deepEqual(inBash(t, "report", "--nameless", ""), ["auto", "all", "none"]);
    assert.deepEqual(inBash(t, "completion", "z"), ["zsh"]);
    assert.ok(inBash(t, "report", "--config", "serv").length >= 1);
    assert.deepEqual(inBash(t, "report", "--chdir", "serv"), ["serverfolder"]);
    assert.deepEqual(inBash(t, "report", "--rate", ""), []);
    assert.deepEqual(inBash(t, "nonsense", ""), []);
  });

  it("works in fish", (t) => {
    const commands = inFish(t, "repo");
    if (commands === undefined) return;
    assert.deepEqual(commands, ["report"]);
    assert.deepEqual(inFish(t, "report --hi"), ["--history"]);
    assert.deepEqual(inFish(t, "report --nameless "), ["all", "auto", "none"]);
    assert.deepEqual(inFish(t, "completion z"), ["zsh"]);
    assert.ok(inFish(t, "report --config serv")?.some((name) => /server/.test(name)));
  });

  it("works in zsh", (t) => {
    const typed = (line: string, wanted: string): boolean | undefined => {
      const script = [
        "zmodload zsh/zpty",
        "zpty shell zsh -f -i",
        `zpty -w shell "PS1='> '; unsetopt beep; autoload -U compinit; compinit -D -u; source ./zsh; print read''y"`,
        `zpty -r -m shell answer '*ready*'`,
        `zpty -w -n shell $'spire-aws-kms ${line}\\t'`,
        `repeat 200; do zpty -r -t shell part && answer+=$part; [[ $answer == *${JSON.stringify(wanted)}* ]] && break; sleep 0.05; done`,
        `[[ $answer == *${JSON.stringify(wanted)}* ]] && print found || print -r -- "$answer"`,
        "zpty -d shell",
      ].join("\n");
      const stdout = run("zsh", t, script, "-f", "-s");
      return stdout === undefined ? undefined : stdout.trim() === "found" || assert.fail(stdout);
    };
    if (typed("repo", "spire-aws-kms report") === undefined) return;
    typed("report --hi", "--history");
    typed("completion z", "completion zsh");
  });
});
