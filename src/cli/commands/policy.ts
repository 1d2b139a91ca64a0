/** `spire-aws-kms policy`: least privilege for one configuration. */
import { Command } from "commander";
import { withConfigurationFlags } from "../configuration/flags.ts";
import { runCommand } from "../output/run-command.ts";
import type { PolicyFlags, PolicyKind } from "../policy/run-policy.ts";

function policyOf(kind: PolicyKind, description: string): Command {
  return withConfigurationFlags(new Command(kind).description(description))
    .option("--role <arn>", "the server's role (default: assume_role_arn, or whom the credentials belong to)")
    .option("--account <id>", "the account (default: the role's)")
    .option("--terraform", "print Terraform's aws_iam_policy_document instead of JSON")
    .option(
      "--json",
      "print one JSON object that holds the policy, the same for Terraform, and what is to be known of it",
    )
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .action((flags: PolicyFlags) =>
      runCommand(`policy ${kind}`, flags, async (context) => {
        const { runPolicy } = await import("../policy/run-policy.ts");
        return runPolicy(kind, flags, context);
      }),
    );
}

/** \`spire-aws-kms policy\`. */
export function policyCommand(): Command {
  return new Command("policy")
    .description("Print what the server must be allowed by this very configuration, and not more.")
    .addCommand(
      policyOf("iam", "Print the IAM policy of the server's role.").option(
        "--promote",
        "print what who runs promote with this configuration must be allowed, instead of the server",
      ),
    )
    .addCommand(
      policyOf("key", "Print a key policy for key_policy_file: the account administers the keys and cannot sign."),
    )
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 2 wrong arguments, 4 printed with placeholders for what AWS does not tell.",
    )
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
}
