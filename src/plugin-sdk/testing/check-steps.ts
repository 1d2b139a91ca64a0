/** The steps of a check that need a plugin that runs: what SPIRE calls, in SPIRE's order. */

import { lstatSync } from "node:fs";
import type { DescService } from "@bufbuild/protobuf";
import { GRPCStdio } from "../../gen/plugin/grpc_stdio_pb.ts";
import { Metrics } from "../../gen/spire/hostservice/common/metrics/v1/metrics_pb.ts";
import { AgentStore } from "../../gen/spire/hostservice/server/agentstore/v1/agentstore_pb.ts";
import { IdentityProvider } from "../../gen/spire/hostservice/server/identityprovider/v1/identityprovider_pb.ts";
import { Config } from "../../gen/spire/service/common/config/v1/config_pb.ts";
import { Init } from "../../gen/spire/service/private/init/v1/init_pb.ts";
import type { UnaryClient } from "../../go-plugin/grpc/grpc-client.ts";
import { GrpcStatusError } from "../../go-plugin/grpc/status-error.ts";
import type { PluginHost } from "../../go-plugin/host/start-plugin.ts";
import { serviceNamesOfType } from "../kinds/plugin-types.ts";
import type { PluginType } from "../plugin-definition.ts";
import type { Finding } from "./check-report.ts";

export interface CheckedCalls {
  readonly host: PluginHost;
  readonly type: PluginType;
  readonly pluginData: string | undefined;
  readonly trustDomain: string;
}

export type Check = (checked: CheckedCalls) => Promise<Finding[]>;

/** SPIRE's own limit for most calls. */
const timeoutMs = 30_000;
const stdioLookMs = 300;

const good = (step: string, text: string): Finding => ({ step, verdict: "good", text });
const fault = (step: string, text: string, spire: string): Finding => ({ step, verdict: "fault", text, spire });
const note = (step: string, text: string, spire: string): Finding => ({ step, verdict: "note", text, spire });

/** @returns undefined if the call went well */
async function statusOf(call: Promise<unknown>): Promise<GrpcStatusError | undefined> {
  try {
    await call;
    return undefined;
  } catch (error) {
    if (error instanceof GrpcStatusError) return error;
    throw error;
  }
}

async function health({ host }: CheckedCalls): Promise<Finding[]> {
  const status = await statusOf(host.ping({ timeoutMs }));
  if (status === undefined) return [good("health", "serving")];
  return [fault("health", status.message, "hosts that ask for the health take the plugin for dead")];
}

async function stdio({ host }: CheckedCalls): Promise<Finding[]> {
  const status = await statusOf(
    (async () => {
      for await (const _ of host.client(GRPCStdio).streamStdio({}, { timeoutMs: stdioLookMs }));
    })(),
  );
  if (status === undefined || status.code === "DEADLINE_EXCEEDED") return [good("stdio", "the stream is served")];
  return [note("stdio", status.message, "what the plugin prints after its handshake is lost")];
}

async function init({ host, type }: CheckedCalls): Promise<Finding[]> {
  const hostServiceNames = [Metrics, IdentityProvider, AgentStore].map(({ typeName }) => typeName);
  try {
    const { pluginServiceNames: names } = await host.client(Init).init({ hostServiceNames }, { timeoutMs });
    const wanted = serviceNamesOfType[type];
    const known = [...wanted, Config.typeName];
    const unknown = names.filter((name) => !known.includes(name));
    return [
      names.some((name) => wanted.includes(name))
        ? good("Init", names.join(", "))
        : fault(
            "Init",
            `a ${type} serves ${wanted.join(" or ")}; this plugin names ${names.join(", ") || "nothing"}`,
            `SPIRE ends at its start: no supported plugin interface found in: [${names.map((name) => JSON.stringify(name)).join(" ")}]`,
          ),
      ...unknown.map((name) => note("Init", `${name} is nothing that SPIRE uses`, "SPIRE warns of it and goes on")),
      ...(names.includes(Config.typeName)
        ? []
        : [
            note(
              "Init",
              "no configuration is taken",
              "with plugin_data SPIRE ends at its start: no supported configuration interface found",
            ),
          ]),
    ];
  } catch (error) {
    return [fault("Init", (error as Error).message, "SPIRE ends at its start: failed to initialize the plugin")];
  }
}

async function configure({ host, pluginData, trustDomain }: CheckedCalls): Promise<Finding[]> {
  const config = host.client(Config);
  const broken = await statusOf(config.configure({ hclConfiguration: "" }, { timeoutMs }));
  if (broken?.code === "UNIMPLEMENTED") return [];
  const findings = [
    broken === undefined
      ? note("Configure", "a request without core configuration is taken", "SPIRE always sends one")
      : good("Configure", `a request without core configuration is refused: ${broken.details}`),
    ...(await validate(config, trustDomain)),
  ];
  const request = { coreConfiguration: { trustDomain }, hclConfiguration: pluginData ?? "" };
  const status = await statusOf(config.configure(request, { timeoutMs }));
  if (status === undefined) return [...findings, good("Configure", "the configuration is taken")];
  if (pluginData === undefined) {
    const text = `an empty plugin_data is refused: ${status.code}: ${status.details}`;
    return [...findings, note("Configure", text, "give a plugin_data that works to see the plugin configured")];
  }
  return [
    ...findings,
    fault("Configure", `${status.code}: ${status.details}`, "SPIRE ends at its start with this message"),
  ];
}

async function validate(config: UnaryClient<typeof Config>, trustDomain: string): Promise<Finding[]> {
  const request = { coreConfiguration: { trustDomain }, hclConfiguration: "this_is_no_setting = [1" };
  try {
    const { valid, notes } = await config.validate(request, { timeoutMs });
    return [
      valid || notes.length === 0
        ? note(
            "Validate",
            "broken HCL is called valid, or nothing is said of it",
            "spire-server validate finds nothing wrong",
          )
        : good("Validate", `broken HCL is noted: ${notes.join("; ")}`),
    ];
  } catch (error) {
    return [note("Validate", (error as Error).message, "spire-server validate fails")];
  }
}

/** A service under another name, or with another method, that no plugin has. */
const unknownService = { ...Init, typeName: "check.NoSuchService" } as unknown as DescService;

async function unknown({ host }: CheckedCalls): Promise<Finding[]> {
  const method = { ...Init.method.init, name: "NoSuchMethod" };
  const strangers = {
    "an unknown method": { ...Init, methods: [method], method: { init: method } },
    "an unknown service": { ...unknownService, methods: [{ ...Init.method.init, parent: unknownService }] },
  };
  const findings: Finding[] = [];
  for (const [what, service] of Object.entries(strangers)) {
    const client = host.client(service as unknown as typeof Init) as UnaryClient<typeof Init>;
    const status = await statusOf(client.init({}, { timeoutMs }));
    findings.push(
      status?.code === "UNIMPLEMENTED"
        ? good("unknown calls", `${what} is UNIMPLEMENTED`)
        : fault(
            "unknown calls",
            `${what} gives ${status?.message ?? "an answer"}`,
            "SPIRE cannot tell what the plugin has",
          ),
    );
  }
  return findings;
}

async function interrupt({ host }: CheckedCalls): Promise<Finding[]> {
  host.signal("SIGINT");
  const status = await statusOf(host.ping({ timeoutMs }));
  if (status === undefined) return [good("SIGINT", "is left to the host")];
  return [
    note("SIGINT", "ends the plugin", "Ctrl-C at SPIRE's terminal ends the plugin before SPIRE has finished with it"),
  ];
}

async function deinit({ host }: CheckedCalls): Promise<Finding[]> {
  const status = await statusOf(host.client(Init).deinit({}, { timeoutMs: 10_000 }));
  if (status === undefined || status.code === "UNIMPLEMENTED") return [good("Deinit", "done")];
  return [note("Deinit", status.message, "SPIRE logs the error and goes on to the shutdown")];
}

async function shutdown({ host }: CheckedCalls): Promise<Finding[]> {
  const { network, address } = host.handshake;
  const began = Date.now();
  const { wasKilled, code } = await host.shutdown();
  if (wasKilled) {
    return [fault("shutdown", "still there after two seconds", "SPIRE kills it: plugin failed to exit gracefully")];
  }
  const isSocketLeft = network === "unix" && lstatSync(address, { throwIfNoEntry: false }) !== undefined;
  return [
    good("shutdown", `code ${code} after ${Date.now() - began} ms`),
    ...(isSocketLeft ? [note("shutdown", `${address} is left behind`, "sockets pile up in the temporary folder")] : []),
  ];
}

/** In order. */
export const callChecks: readonly Check[] = [health, stdio, init, configure, unknown];
export const endChecks: readonly Check[] = [interrupt, deinit, shutdown];
