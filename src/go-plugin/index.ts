/**
 * HashiCorp's go-plugin protocol for Node.js, with nothing of SPIRE in it.
 *
 * - {@link serve} makes this process a plugin; {@link service} pairs a generated service with its handlers.
 * - {@link startPlugin} is a host: it starts a plugin's executable, speaks to it and ends it.
 */

export { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
export { GoPluginError, type GoPluginErrorCode } from "./errors.ts";
export type { CallContext } from "./grpc/call-context.ts";
export type { CallOptions, GrpcConnection, ServiceClient, UnaryClient } from "./grpc/grpc-client.ts";
export { type ServiceHandlers, type ServiceRegistration, service } from "./grpc/grpc-service.ts";
export type { StatusCode } from "./grpc/status-code.ts";
export { errorDetail, type FailureCode, GrpcStatusError, StatusError } from "./grpc/status-error.ts";
export type { Environment, Handshake, MagicCookie, Network } from "./handshake.ts";
export { type HclogEntry, parseHclogLine } from "./hclog/hclog-line.ts";
export type { LogFields, Logger, LogLevel } from "./hclog/logger.ts";
export { silentLogger } from "./hclog/logger.ts";
export { sha256OfFile } from "./host/file-checksum.ts";
export type { PluginExit } from "./host/plugin-process.ts";
export { type PluginHost, type StartPluginOptions, startPlugin } from "./host/start-plugin.ts";
export type { Broker } from "./plugin/grpc-broker.ts";
export type { PluginContext, PluginServices } from "./plugin/plugin-server.ts";
export { type ServeConfig, serve } from "./plugin/serve.ts";
export type { StdioChannel } from "./stdio-channel.ts";
