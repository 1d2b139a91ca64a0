/**
 * SPIRE's types of plugins, and the services of which a plugin of each type has to serve one. Names alone: a plugin that
 * starts shall not load what it does not serve.
 */
import type { PluginType } from "../plugin-definition.ts";

/** By type, the service for SPIRE Server first. */
export const serviceNamesOfType: Readonly<Record<PluginType, readonly string[]>> = {
  BundlePublisher: ["spire.plugin.server.bundlepublisher.v1.BundlePublisher"],
  CredentialComposer: ["spire.plugin.server.credentialcomposer.v1.CredentialComposer"],
  KeyManager: ["spire.plugin.server.keymanager.v1.KeyManager", "spire.plugin.agent.keymanager.v1.KeyManager"],
  NodeAttestor: ["spire.plugin.server.nodeattestor.v1.NodeAttestor", "spire.plugin.agent.nodeattestor.v1.NodeAttestor"],
  Notifier: ["spire.plugin.server.notifier.v1.Notifier"],
  SVIDStore: ["spire.plugin.agent.svidstore.v1.SVIDStore"],
  UpstreamAuthority: ["spire.plugin.server.upstreamauthority.v1.UpstreamAuthority"],
  WorkloadAttestor: ["spire.plugin.agent.workloadattestor.v1.WorkloadAttestor"],
};

export const pluginTypes = Object.keys(serviceNamesOfType) as readonly PluginType[];

export const isPluginType = (name: string): name is PluginType => Object.hasOwn(serviceNamesOfType, name);
