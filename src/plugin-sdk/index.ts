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
export type { CallContext } from "../go-plugin/call-context.ts";
export { type PluginHost, type StartPluginOptions, startPlugin } from "../go-plugin/client.ts";
export { GoPluginError, type GoPluginErrorCode } from "../go-plugin/errors.ts";
export { sha256OfFile } from "../go-plugin/file-checksum.ts";
export type { CallOptions, UnaryClient } from "../go-plugin/grpc-client.ts";
export { type ServiceHandlers, type ServiceRegistration, service } from "../go-plugin/grpc-service.ts";
export type { HclogEntry } from "../go-plugin/hclog-line.ts";
export type { LogFields, Logger, LogLevel } from "../go-plugin/logger.ts";
export { silentLogger } from "../go-plugin/logger.ts";
export type { PluginExit } from "../go-plugin/plugin-process.ts";
export type { StatusCode } from "../go-plugin/status-code.ts";
export type { HostServices } from "./host-services.ts";
export type { MetricKey, MetricLabels, Metrics } from "./metrics.ts";
export type {
  ConfigHandlers,
  CoreConfiguration,
  LoadPlugin,
  PluginImplementation,
  ValidationResult,
} from "./plugin-definition.ts";
export { type BackgroundPlugin, type ServeInBackgroundOptions, serveInBackground } from "./plugintest.ts";
export { type PluginIdentity, type ServePluginOptions, servePlugin } from "./serve-plugin.ts";
export { type FailureCode, GrpcStatusError, StatusError } from "./status-error.ts";
