/** The health service, by which a host pings its plugin. */
import { Health, HealthCheckResponse_ServingStatus as ServingStatus } from "../../gen/grpc/health/v1/health_pb.ts";
import { AsyncQueue } from "./async-queue.ts";
import { type ServiceRegistration, service } from "./grpc-service.ts";
import { StatusError } from "./status-error.ts";

/** The name go-plugin's hosts ask for when they ping a plugin. */
export const pluginHealthName = "plugin";

export interface HealthService {
  readonly registration: ServiceRegistration;
  /** Tells every watcher that the plugin stops serving, and ends their streams. */
  stop(): void;
}

/** grpc.health.v1: `plugin` and the server as a whole ("") are serving until the plugin stops. */
export function createHealthService(): HealthService {
  const known = new Set(["", pluginHealthName]);
  const watchers = new Set<AsyncQueue<ServingStatus>>();
  let status = ServingStatus.SERVING;
  const registration = service(Health, {
    check(request) {
      if (!known.has(request.service)) throw new StatusError("NOT_FOUND", `unknown service "${request.service}"`);
      return { status };
    },
    async *watch(request, context) {
      const changes = new AsyncQueue<ServingStatus>();
      changes.push(known.has(request.service) ? status : ServingStatus.SERVICE_UNKNOWN);
      if (status === ServingStatus.SERVING) watchers.add(changes);
      else changes.close();
      try {
        for await (const next of changes.read(context.signal)) yield { status: next };
      } finally {
        watchers.delete(changes);
      }
    },
  });
  return {
    registration,
    stop() {
      status = ServingStatus.NOT_SERVING;
      for (const watcher of watchers) {
        watcher.push(status);
        watcher.close();
      }
    },
  };
}
