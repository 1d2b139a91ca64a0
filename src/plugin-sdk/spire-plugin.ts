/** From an author's definition to the services that SPIRE expects of a plugin. */
import type { ServiceRegistration } from "../go-plugin/grpc/grpc-service.ts";
import type { PluginContext } from "../go-plugin/plugin/plugin-server.ts";
import { createConfigService } from "./config-service.ts";
import { createHostServicesFactory } from "./host-services.ts";
import { createInitService } from "./init-service.ts";
import type { LoadPlugin, PluginImplementation } from "./plugin-definition.ts";

/** A plugin's services as SPIRE expects them: its own, Config if it takes configuration, and Init. */
export interface SpirePlugin {
  services(context: PluginContext): Promise<readonly ServiceRegistration[]>;
  /** Runs the plugin's `deinit`, the first time. */
  deinit(): Promise<void>;
}

export function createSpirePlugin(implementation: PluginImplementation | LoadPlugin): SpirePlugin {
  let deinitOnce = async (): Promise<void> => undefined;

  async function services({ broker, log }: PluginContext): Promise<readonly ServiceRegistration[]> {
    const plugin = typeof implementation === "function" ? await implementation({ log }) : implementation;
    let finished: Promise<void> | undefined;
    deinitOnce = () => {
      finished ??= (async () => plugin.deinit?.())();
      return finished;
    };
    const offered = [...plugin.services, ...(plugin.config === undefined ? [] : [createConfigService(plugin.config)])];
    const init = createInitService({
      serviceNames: offered.map(({ service }) => service.typeName),
      onInit: plugin.onInit,
      deinit: () => deinitOnce(),
      hostServices: createHostServicesFactory(broker, log),
    });
    return [...offered, init];
  }

  return { services, deinit: () => deinitOnce() };
}
