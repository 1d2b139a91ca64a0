/**
 * SPIRE plugins in TypeScript.
 *
 * - `servePlugin` makes a process a plugin, `service` pairs a generated service with its handlers.
 * - `serveInBackground` serves a plugin inside a test; `startPlugin` starts a finished executable as SPIRE does.
 */

export { Metrics as MetricsService } from "../gen/spire/hostservice/common/metrics/v1/metrics_pb.ts";
export {
  HashAlgorithm,
  KeyManager,
  KeyType,
  type PublicKey,
  type SignDataRequest,
} from "../gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
export { Config } from "../gen/spire/service/common/config/v1/config_pb.ts";
export { Init } from "../gen/spire/service/private/init/v1/init_pb.ts";
export { GoPluginError, type GoPluginErrorCode } from "../go-plugin/errors.ts";
export type { CallContext } from "../go-plugin/grpc/call-context.ts";
export type { CallOptions, UnaryClient } from "../go-plugin/grpc/grpc-client.ts";
export { type ServiceHandlers, type ServiceRegistration, service } from "../go-plugin/grpc/grpc-service.ts";
export type { StatusCode } from "../go-plugin/grpc/status-code.ts";
export { type FailureCode, GrpcStatusError, StatusError } from "../go-plugin/grpc/status-error.ts";
export type { HclogEntry } from "../go-plugin/hclog/hclog-line.ts";
export type { LogFields, Logger, LogLevel } from "../go-plugin/hclog/logger.ts";
export { silentLogger } from "../go-plugin/hclog/logger.ts";
export { sha256OfFile } from "../go-plugin/host/file-checksum.ts";
export type { PluginExit } from "../go-plugin/host/plugin-process.ts";
export { type PluginHost, type StartPluginOptions, startPlugin } from "../go-plugin/host/start-plugin.ts";
export type { HostServices } from "./host-services.ts";
export type { MetricKey, MetricLabels, Metrics } from "./metrics.ts";
export type {
  ConfigHandlers,
  CoreConfiguration,
  LoadPlugin,
  PluginImplementation,
  ValidationResult,
} from "./plugin-definition.ts";
export { type BackgroundPlugin, type ServeInBackgroundOptions, serveInBackground } from "./serve-in-background.ts";
export { type PluginIdentity, type ServePluginOptions, servePlugin } from "./serve-plugin.ts";
