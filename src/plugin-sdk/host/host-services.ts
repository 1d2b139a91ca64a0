/** The services that SPIRE serves to its plugins, as a plugin sees them. */
import type { DescService } from "@bufbuild/protobuf";
import { Metrics as MetricsService } from "../../gen/spire/hostservice/common/metrics/v1/metrics_pb.ts";
import type { GrpcConnection, ServiceClient } from "../../go-plugin/grpc/grpc-client.ts";
import { StatusError } from "../../go-plugin/grpc/status-error.ts";
import type { Logger } from "../../go-plugin/hclog/logger.ts";
import type { Broker } from "../../go-plugin/plugin/grpc-broker.ts";
import { type AgentStore, createAgentStore } from "./agent-store.ts";
import type { HostClient } from "./host-client.ts";
import { createIdentityProvider, type IdentityProvider } from "./identity-provider.ts";
import { createMetrics, type Metrics, noMetrics } from "./metrics.ts";

/** The broker id under which SPIRE announces all its host services. */
const hostServiceProviderId = 1;

/** What SPIRE serves to the plugin. */
export interface HostServices {
  /** Full names of the services SPIRE offers, such as `spire.hostservice.common.metrics.v1.Metrics`. */
  readonly names: readonly string[];
  readonly metrics: Metrics;
  /** SPIRE Server alone has it. */
  readonly identityProvider: IdentityProvider;
  /** SPIRE Server alone has it. */
  readonly agentStore: AgentStore;
  /**
   * A client of a host service.
   *
   * @returns undefined when SPIRE does not offer it, or cannot be reached
   */
  client<Service extends DescService>(service: Service): Promise<ServiceClient<Service> | undefined>;
}

export type HostServicesFactory = (names: readonly string[]) => HostServices;

/** Makes the host services once Init has named them. A plugin runs on without them, whatever goes wrong. */
export function createHostServicesFactory(broker: Broker, log: Logger): HostServicesFactory {
  let connection: Promise<GrpcConnection | undefined> | undefined;

  // At once, since SPIRE's announcement lapses after five seconds; and in the background, since Init shall not wait.
  function dial(): Promise<GrpcConnection | undefined> {
    connection ??= broker.dial(hostServiceProviderId).catch((error: unknown) => {
      log.debug("the host's services cannot be reached; going on without them", { error });
      return undefined;
    });
    return connection;
  }

  return (names) => {
    const offered = new Set(names);
    if (offered.size > 0) void dial();
    const client: HostServices["client"] = async (service) => {
      if (!offered.has(service.typeName)) return undefined;
      return (await dial())?.client(service);
    };
    const metrics = offered.has(MetricsService.typeName) ? createMetrics(client(MetricsService), log) : noMetrics;
    const present: HostClient = async (service) => {
      const found = await client(service);
      if (found !== undefined) return found;
      throw new StatusError("UNAVAILABLE", `SPIRE does not offer ${service.typeName} to this plugin`);
    };
    return {
      names,
      metrics,
      identityProvider: createIdentityProvider(present),
      agentStore: createAgentStore(present),
      client,
    };
  };
}
