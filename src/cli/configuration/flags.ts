/** The flags that say which keys a command is about: a `server.conf`, or what would stand in it. */
import { type Command, Option } from "commander";

export type PluginKind = "aws_kms" | "kms";

/** As commander hands them over. */
export interface ConfigurationFlags {
  readonly config?: string;
  readonly expandEnv?: boolean;
  readonly chdir?: string;
  readonly plugin?: PluginKind;
  readonly trustDomain?: string;
  readonly serverId?: string;
  readonly identifierFile?: string;
  readonly keyPrefix?: string;
  readonly region?: string;
  readonly endpoint?: string;
  readonly stsEndpoint?: string;
  readonly profile?: string;
  readonly ownCredentials?: boolean;
}

/** Adds the flags to a command. */
export function withConfigurationFlags(command: Command): Command {
  return command
    .option("--config <file>", "SPIRE Server's server.conf (default: conf/server/server.conf, if it is there)")
    .option("--expand-env", "put environment variables into server.conf, as spire-server run -expandEnv does")
    .option("--chdir <folder>", "SPIRE Server's working folder, from which relative paths start")
    .addOption(
      new Option("--plugin <name>", "which plugin it is, where server.conf does not tell").choices(["aws_kms", "kms"]),
    )
    .option("--trust-domain <name>", "the trust domain")
    .option("--server-id <id>", "key_identifier_value of aws_kms")
    .option("--identifier-file <file>", "key_identifier_file of aws_kms")
    .option("--key-prefix <prefix>", "key_prefix of kms")
    .option("--region <code>", "AWS Region of the keys (without server.conf: AWS_REGION)")
    .option("--endpoint <url>", "URL of KMS, for a VPC endpoint or an emulator")
    .option("--sts-endpoint <url>", "URL of STS")
    .option("--profile <name>", "profile of the AWS shared files, instead of server.conf's credentials")
    .option("--own-credentials", "AWS's default chain of credentials, instead of server.conf's");
}
