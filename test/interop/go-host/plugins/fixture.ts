/** What the small plugins here have in common: settings, metrics for the Go host to read, a refusal with details, a long wait. */
import * as v from "valibot";
import {
  type CallContext,
  ErrorInfoSchema,
  errorDetail,
  type FailureCode,
  type HostServices,
  hclConfig,
  type PluginType,
  type ServiceRegistration,
  StatusError,
  servePlugin,
} from "../../../../src/plugin-sdk/index.ts";

export const config = hclConfig({ schema: v.strictObject({ greeting: v.optional(v.string(), "hello") }) });

let services: HostServices | undefined;

/** SPIRE's services, once Init has named them. */
export function host(): HostServices {
  if (services === undefined) throw new Error("Init has not come");
  return services;
}

export const count = (...key: readonly string[]): void => host().metrics.incrCounter(["fixture", ...key], 1);

export function refuse(code: FailureCode, kind: string): never {
  const detail = errorDetail(ErrorInfoSchema, {
    reason: "REFUSED_BY_FIXTURE",
    domain: "example.org",
    metadata: { kind },
  });
  throw new StatusError(code, `${kind} was refused`, { errorDetails: [detail] });
}

/** Waits until the host has left the call. */
export async function waitForever({ signal }: Pick<CallContext, "signal">): Promise<never> {
  count("waiting");
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  count("cancelled");
  throw signal.reason;
}

export const text = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString();
export const bytes = (value: string): Uint8Array => Buffer.from(value);

export async function serveFixture(type: PluginType, service: ServiceRegistration): Promise<void> {
  await servePlugin({
    type,
    name: "fixture",
    version: "1.0.0",
    description: "A plugin for tests.",
    services: [service],
    config,
    onInit(given) {
      services = given;
    },
  });
}
