/** Entry of `spire-aws-kms`, the command line. One file per command in `commands/`. */
import { programOf } from "./program.ts";

void programOf().parseAsync();
