/** `spire-aws-kms demo`: the whole plugin at work on the embedded KMS. */
import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { Command } from "commander";
import { Checks } from "../demo/checks.ts";
import { runDemo } from "../demo/demo.ts";

/** The plugin that was built with this command line lies beside it. */
function pluginBeside(executable: string): string {
  return join(dirname(realpathSync(executable)), "aws_kms");
}

async function demo(options: { plugin?: string; logs?: boolean }): Promise<void> {
  const pluginCommand = options.plugin ?? pluginBeside(process.argv[1] ?? ".");
  if (!existsSync(pluginCommand)) {
    console.error(
      `spire-aws-kms demo: there is no plugin at ${pluginCommand}\nhint: npm run build makes it, --plugin names another`,
    );
    process.exitCode = 1;
    return;
  }
  const checks = new Checks(console.log);
  try {
    await runDemo({
      pluginCommand,
      checks,
      ...(options.logs ? { onLogLine: (line) => console.log(`    ${line}`) } : {}),
    });
  } catch (error) {
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
