/** What differs from kind to kind in a new project. */
import type { PluginType } from "../../plugin-definition.ts";

export interface Template {
  readonly type: PluginType;
  readonly program: "SPIRE Server" | "SPIRE Agent";
  readonly description: string;
  /** `src/plugin.ts` */
  readonly plugin: string;
  /** `test/plugin.test.ts` */
  readonly test: string;
  /** `test/plugin_data.hcl` */
  readonly pluginData: string;
}
