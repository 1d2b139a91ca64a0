/** What the author of a plugin writes down: the types of a plugin's parts. */
import type { CallContext } from "../go-plugin/grpc/call-context.ts";
import type { ServiceRegistration } from "../go-plugin/grpc/grpc-service.ts";
import type { Logger } from "../go-plugin/hclog/logger.ts";
import type { HostServices } from "./host/host-services.ts";

type MaybePromise<T> = T | Promise<T>;

/** SPIRE's names for the kinds of its plugins. */
export type PluginType =
  | "BundlePublisher"
  | "CredentialComposer"
  | "KeyManager"
  | "NodeAttestor"
  | "Notifier"
  | "SVIDStore"
  | "UpstreamAuthority"
  | "WorkloadAttestor";

/** What SPIRE tells every plugin about itself. */
export interface CoreConfiguration {
  /** A valid trust domain name, such as `example.org`. */
  readonly trustDomain: string;
}

export interface ValidationResult {
  /** Whether Configure would take this configuration. */
  readonly valid: boolean;
  /**
   * Sentences for the operator: every problem found, not the first alone. SPIRE's `validate` command takes a
   * configuration with any note for invalid: a mere warning goes to the log.
   */
  readonly notes: readonly string[];
}

/** Takes the `plugin_data` block of SPIRE's configuration file, as HCL 1 text. */
export interface ConfigHandlers {
  /** Judges a configuration without taking it. `trustDomain` is empty if SPIRE gave none; that is noted already. */
  validate(hcl: string, core: CoreConfiguration, context: CallContext): MaybePromise<ValidationResult>;
  /**
   * Takes a configuration, whole or not at all. Comes again while other calls run when the operator changes the file.
   * Throw `StatusError("INVALID_ARGUMENT", …)` for what the operator can correct.
   */
  configure(hcl: string, core: CoreConfiguration, context: CallContext): MaybePromise<void>;
}

/** What a plugin does. */
export interface PluginImplementation {
  /** The plugin's own service first, then others it offers; see `service()`. */
  readonly services: readonly ServiceRegistration[];
  /** Without it the plugin takes no configuration, and SPIRE refuses `plugin_data`. */
  readonly config?: ConfigHandlers;
  /** SPIRE has connected, and these are its services. */
  readonly onInit?: (host: HostServices) => MaybePromise<void>;
  /** Flush and release: SPIRE unloads the plugin, or the process stops. Runs once; SPIRE waits ten seconds for it. */
  readonly deinit?: () => MaybePromise<void>;
}

/** Loads a plugin after the handshake, so that its imports cost no start-up time. */
export type LoadPlugin = (context: { readonly log: Logger }) => MaybePromise<PluginImplementation>;
