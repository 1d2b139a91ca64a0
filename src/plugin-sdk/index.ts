/**
 * SPIRE plugins in TypeScript.
 *
 * - `servePlugin` makes a process a plugin.
 * - `workloadAttestor`, `upstreamAuthority` and the others, one for each of SPIRE's kinds, take what the plugin does;
 *   `service` pairs any generated service with handlers of its messages.
 * - `hclConfig` takes the configuration by a schema.
 * - `serveInBackground` serves a plugin inside a test; `startPlugin` starts a finished executable as SPIRE does.
 */

export { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../gen/google/rpc/error_details_pb.ts";
export { Metrics as MetricsService } from "../gen/spire/hostservice/common/metrics/v1/metrics_pb.ts";
export { AgentStore as AgentStoreService } from "../gen/spire/hostservice/server/agentstore/v1/agentstore_pb.ts";
export { IdentityProvider as IdentityProviderService } from "../gen/spire/hostservice/server/identityprovider/v1/identityprovider_pb.ts";
export { KeyManager as AgentKeyManager } from "../gen/spire/plugin/agent/keymanager/v1/keymanager_pb.ts";
export { NodeAttestor as AgentNodeAttestor } from "../gen/spire/plugin/agent/nodeattestor/v1/nodeattestor_pb.ts";
export { SVIDStore, type X509SVID } from "../gen/spire/plugin/agent/svidstore/v1/svidstore_pb.ts";
export { WorkloadAttestor } from "../gen/spire/plugin/agent/workloadattestor/v1/workloadattestor_pb.ts";
export { BundlePublisher } from "../gen/spire/plugin/server/bundlepublisher/v1/bundlepublisher_pb.ts";
export {
  CredentialComposer,
  type DistinguishedName,
  type X509CAAttributes,
  type X509Extension,
  type X509SVIDAttributes,
} from "../gen/spire/plugin/server/credentialcomposer/v1/credentialcomposer_pb.ts";
export {
  HashAlgorithm,
  KeyManager,
  KeyType,
  type PublicKey,
  type SignDataRequest,
} from "../gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
export { NodeAttestor as ServerNodeAttestor } from "../gen/spire/plugin/server/nodeattestor/v1/nodeattestor_pb.ts";
export { Notifier } from "../gen/spire/plugin/server/notifier/v1/notifier_pb.ts";
export { UpstreamAuthority } from "../gen/spire/plugin/server/upstreamauthority/v1/upstreamauthority_pb.ts";
export type { Bundle } from "../gen/spire/plugin/types/bundle_pb.ts";
export type { JWTKey } from "../gen/spire/plugin/types/jwtkey_pb.ts";
export type { X509Certificate } from "../gen/spire/plugin/types/x509certificate_pb.ts";
export { Config } from "../gen/spire/service/common/config/v1/config_pb.ts";
export { Init } from "../gen/spire/service/private/init/v1/init_pb.ts";
export { GoPluginError, type GoPluginErrorCode } from "../go-plugin/errors.ts";
export type { CallContext } from "../go-plugin/grpc/call-context.ts";
export type { CallOptions, ServiceClient, UnaryClient } from "../go-plugin/grpc/grpc-client.ts";
export { type ServiceHandlers, type ServiceRegistration, service } from "../go-plugin/grpc/grpc-service.ts";
export type { StatusCode } from "../go-plugin/grpc/status-code.ts";
export { errorDetail, type FailureCode, GrpcStatusError, StatusError } from "../go-plugin/grpc/status-error.ts";
export type { HclogEntry } from "../go-plugin/hclog/hclog-line.ts";
export type { LogFields, Logger, LogLevel } from "../go-plugin/hclog/logger.ts";
export { silentLogger } from "../go-plugin/hclog/logger.ts";
export { sha256OfFile } from "../go-plugin/host/file-checksum.ts";
export type { PluginExit } from "../go-plugin/host/plugin-process.ts";
export { type PluginHost, type StartPluginOptions, startPlugin } from "../go-plugin/host/start-plugin.ts";
export { type Configured, type HclConfig, type HclConfigOptions, hclConfig } from "./config/hcl-config.ts";
export type { SchemaIssue, SchemaResult, StandardSchema } from "./config/standard-schema.ts";
export type { AgentStore } from "./host/agent-store.ts";
export type { HostServices } from "./host/host-services.ts";
export type { IdentityProvider, X509Identity } from "./host/identity-provider.ts";
export type { MetricKey, MetricLabels, Metrics } from "./host/metrics.ts";
export { type BundlePublisherHandlers, bundlePublisher } from "./kinds/bundle-publisher.ts";
export {
  type ComposeSubject,
  type CredentialComposerHandlers,
  credentialComposer,
} from "./kinds/credential-composer.ts";
export {
  agentKeyManager,
  type KeyManagerHandlers,
  keyManager,
  type ManagedKey,
  type SignRequest,
} from "./kinds/key-manager.ts";
export {
  type AgentNodeAttestorHandlers,
  type AttestContext,
  type AttestedAgent,
  agentId,
  agentNodeAttestor,
  type ServerNodeAttestorHandlers,
  serverNodeAttestor,
} from "./kinds/node-attestor.ts";
export { type NotifierHandlers, notifier } from "./kinds/notifier.ts";
export { type PutRequest, type SvidStoreHandlers, svidStore } from "./kinds/svid-store.ts";
export {
  type CertificateInit,
  type MintedCa,
  type MintRequest,
  type UpstreamAuthorityHandlers,
  upstreamAuthority,
} from "./kinds/upstream-authority.ts";
export { type WorkloadAttestorHandlers, workloadAttestor } from "./kinds/workload-attestor.ts";
export type {
  ConfigHandlers,
  CoreConfiguration,
  LoadPlugin,
  PluginImplementation,
  PluginType,
  ValidationResult,
} from "./plugin-definition.ts";
export { type BackgroundPlugin, type ServeInBackgroundOptions, serveInBackground } from "./serve-in-background.ts";
export { type PluginIdentity, type ServePluginOptions, servePlugin } from "./serve-plugin.ts";
