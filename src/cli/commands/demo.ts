/** `spire-aws-kms demo`: the whole plugin at work on the embedded KMS. */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { Checks } from "../demo/checks.ts";
import { demoSteps, runDemo } from "../demo/demo.ts";
import { Terminal } from "../output/terminal.ts";

/** The plugin that was built with this command line lies beside it. */
function pluginBeside(executable: string): string {
  return join(dirname(realpathSync(executable)), "aws_kms");
}

/** What ends the demonstration early, with the exit code that a shell would give it. */
const endings = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGPIPE: 141 } as const;

class Interrupted extends Error {
  readonly exitCode: number;

  constructor(ending: keyof typeof endings) {
    super(ending);
    this.exitCode = endings[ending];
  }
}

/** Aborted by Ctrl-C and the like, and when whoever reads the output has read enough (`demo | head`). */
function interruption(): AbortSignal {
  const controller = new AbortController();
  const end = (ending: keyof typeof endings) => controller.abort(new Interrupted(ending));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => end(signal));
  process.stdout.on("error", () => end("SIGPIPE"));
  return controller.signal;
}

/** Commands and pages that are there in the package as well as in a clone. */
const whatNext = `docs/install.md           this plugin in your SPIRE Server: machine, container, Helm
docs/configuration.md     its settings; docs/iam.md: what its role must be allowed
spire-aws-kms emulator    this KMS for your own tests, from any language
spire-aws-kms --help      all commands`;

async function demo(options: { plugin?: string; logs?: boolean }): Promise<void> {
  const pluginCommand = options.plugin ?? pluginBeside(process.argv[1] ?? ".");
  if (!existsSync(pluginCommand)) {
    console.error(
      `spire-aws-kms demo: there is no plugin at ${pluginCommand}\nhint: npm run build makes it, --plugin names another`,
    );
    process.exitCode = 1;
    return;
  }
  const { stdout, stderr, env } = process;
  const checks = new Checks(new Terminal({ stdout, stderr, env }), demoSteps);
  try {
    await runDemo({
      pluginCommand,
      checks,
      signal: interruption(),
      ...(options.logs ? { onLogLine: (line) => console.log(`    ${line}`) } : {}),
    });
    checks.heading("What next");
    checks.remark(whatNext);
  } catch (error) {
    // Nothing is left to wait for; what was under way has lost what it worked with.
    if (error instanceof Interrupted) process.exit(error.exitCode);
    checks.check(false, `the demonstration broke off: ${error instanceof Error ? error.message : String(error)}`);
  }
  process.exitCode = checks.finish();
}

export function demoCommand(): Command {
  return new Command("demo")
    .description("show the aws_kms plugin at work on the embedded KMS; needs no AWS account")
    .option("--plugin <file>", "executable to start instead of the one that came with this command")
    .option("--logs", "print the plugin's log lines, too")
    .action(demo);
}
