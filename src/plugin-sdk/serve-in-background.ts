/** A plugin inside the process of its test. */
import type { DescService } from "@bufbuild/protobuf";
import { Config } from "../gen/spire/service/common/config/v1/config_pb.ts";
import { Init } from "../gen/spire/service/private/init/v1/init_pb.ts";
import type { ServiceClient } from "../go-plugin/grpc/grpc-client.ts";
import type { ServiceRegistration } from "../go-plugin/grpc/grpc-service.ts";
import { type Logger, silentLogger } from "../go-plugin/hclog/logger.ts";
import { connectPlugin } from "../go-plugin/host/plugin-connection.ts";
import { startPluginServer } from "../go-plugin/plugin/plugin-server.ts";
import { listenOnUnixSocket } from "../go-plugin/socket/unix-socket.ts";
import type { LoadPlugin, PluginImplementation, ValidationResult } from "./plugin-definition.ts";
import { createSpirePlugin } from "./spire-plugin.ts";

export interface ServeInBackgroundOptions {
  /** What SPIRE would serve to the plugin; see `service()`. */
  readonly hostServices?: readonly ServiceRegistration[];
  readonly log?: Logger;
}

/** A plugin under test, initialised as SPIRE does it. */
export interface BackgroundPlugin {
  /** What the plugin answered to Init. */
  readonly serviceNames: readonly string[];
  client<Service extends DescService>(service: Service): ServiceClient<Service>;
  /** @param trustDomain default `example.org` */
  configure(hcl: string, trustDomain?: string): Promise<void>;
  validate(hcl: string, trustDomain?: string): Promise<ValidationResult>;
  /** Deinitialises the plugin and ends its socket. */
  stop(): Promise<void>;
}

/**
 * Serves a plugin inside the test's own process, over a real socket, so that a test meets the wire and a debugger meets
 * the plugin.
 *
 * @example const plugin = await serveInBackground({ services: [service(KeyManager, handlers)] });
 */
export async function serveInBackground(
  implementation: PluginImplementation | LoadPlugin,
  options: ServeInBackgroundOptions = {},
): Promise<BackgroundPlugin> {
  const { log = silentLogger, hostServices = [] } = options;
  const spirePlugin = createSpirePlugin(implementation);
  const listener = await listenOnUnixSocket();
  const server = await startPluginServer({
    listener,
    services: spirePlugin.services,
    log,
    onShutdown: () => undefined,
  });
  const connection = await connectPlugin({ address: listener, hostServices });
  const hostServiceNames = hostServices.map(({ service }) => service.typeName);
  const { pluginServiceNames } = await connection.client(Init).init({ hostServiceNames });
  return {
    serviceNames: pluginServiceNames,
    client: (service) => connection.client(service),
    async configure(hclConfiguration, trustDomain = "example.org") {
      await connection.client(Config).configure({ coreConfiguration: { trustDomain }, hclConfiguration });
    },
    async validate(hclConfiguration, trustDomain = "example.org") {
      return connection.client(Config).validate({ coreConfiguration: { trustDomain }, hclConfiguration });
    },
    async stop() {
      await connection.client(Init).deinit({});
      await connection.close();
      await server.stop(100);
    },
  };
}
