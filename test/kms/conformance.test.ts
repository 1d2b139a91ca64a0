import { describeConformance } from "../plugin/harness/conformance.ts";
import { kmsCommand, kmsData } from "./kms-command.ts";

describeConformance({ pluginCommand: kmsCommand, pluginData: kmsData() });
