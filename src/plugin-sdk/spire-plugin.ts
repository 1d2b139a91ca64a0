/** From an author's definition to the services that SPIRE expects of a plugin. */
import type { ServiceRegistration } from "../go-plugin/grpc/grpc-service.ts";
import type { PluginContext } from "../go-plugin/plugin/plugin-server.ts";
import { createConfigService } from "./config/config-service.ts";
import { createHostServicesFactory } from "./host/host-services.ts";
import { createInitService } from "./init-service.ts";
import { isPluginType, serviceNamesOfType } from "./kinds/plugin-types.ts";
import type { LoadPlugin, PluginImplementation } from "./plugin-definition.ts";

/** A plugin's services as SPIRE expects them: its own, Config if it takes configuration, and Init. */
export interface SpirePlugin {
  services(context: PluginContext): Promise<readonly ServiceRegistration[]>;
  /** Runs the plugin's `deinit`, the first time. */
  deinit(): Promise<void>;
}

/** @param type what the plugin says it is; undefined: whatever it serves */
export function createSpirePlugin(implementation: PluginImplementation | LoadPlugin, type?: string): SpirePlugin {
  let deinitOnce = async (): Promise<void> => undefined;

  async function services({ broker, log }: PluginContext): Promise<readonly ServiceRegistration[]> {
    const plugin = typeof implementation === "function" ? await implementation({ log }) : implementation;
    let finished: Promise<void> | undefined;
    deinitOnce = () => {
      finished ??= (async () => plugin.deinit?.())();
      return finished;
    };
    if (type !== undefined) checkServices(type, plugin);
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

/** SPIRE would say "no supported plugin interface found", and not why. */
function checkServices(type: string, { services }: PluginImplementation): void {
  if (!isPluginType(type)) return;
  const wanted = serviceNamesOfType[type];
  const served = services.map(({ service }) => service.typeName);
  if (served.some((name) => wanted.includes(name))) return;
  throw new Error(
    `it is of type ${type}, and serves ${served.join(", ") || "nothing"}; SPIRE wants ${wanted.join(" or ")}`,
  );
}
