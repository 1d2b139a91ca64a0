/** The executables that are built: name, entry, and how the file's text is made. */
import { executableText, pluginText } from "./executable.mjs";

export const executables = {
  aws_kms: { entry: "src/plugin/aws-kms/main.ts", toText: pluginText },
  kms: { entry: "src/plugin/kms/main.ts", toText: pluginText },
  "spire-aws-kms": { entry: "src/cli/main.ts", toText: executableText },
};
