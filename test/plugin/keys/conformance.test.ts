import { describeConformance } from "../harness/conformance.ts";
import { pluginCommand } from "../harness/plugin-command.ts";
import { pluginData } from "../harness/settings.ts";

describeConformance({ pluginCommand, pluginData: pluginData() });
