/** SPIRE's host services, played for a test: metrics that are kept, an identity, agents that are known. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Metrics } from "../../gen/spire/hostservice/common/metrics/v1/metrics_pb.ts";
import { AgentStore } from "../../gen/spire/hostservice/server/agentstore/v1/agentstore_pb.ts";
import { IdentityProvider } from "../../gen/spire/hostservice/server/identityprovider/v1/identityprovider_pb.ts";
import type { BundleSchema } from "../../gen/spire/plugin/types/bundle_pb.ts";
import { type ServiceRegistration, service } from "../../go-plugin/grpc/grpc-service.ts";
import { StatusError } from "../../go-plugin/grpc/status-error.ts";

/** A metric as SPIRE would get it. */
export interface RecordedMetric {
  readonly call: "setGauge" | "emitKey" | "incrCounter" | "addSample" | "measureSince";
  /** The parts of the key, with dots. */
  readonly name: string;
  /** For `measureSince` the start, in Unix milliseconds. */
  readonly value: number;
  readonly labels: Readonly<Record<string, string>>;
}

/** What the identity provider answers. */
export interface FakeIdentity {
  /** DER. */
  readonly certChain: readonly Uint8Array[];
  /** PKCS #8, DER. */
  readonly privateKey: Uint8Array;
  readonly bundle: MessageInitShape<typeof BundleSchema>;
}

interface MetricRequest {
  readonly key: readonly string[];
  readonly val?: number;
  readonly time?: bigint;
  readonly labels?: readonly { readonly name: string; readonly value: string }[];
}

export function fakeMetrics(keep: (metric: RecordedMetric) => void): ServiceRegistration {
  const record = (call: RecordedMetric["call"]) => (request: MetricRequest) => {
    const { key, val, time = 0n, labels = [] } = request;
    keep({
      call,
      name: key.join("."),
      value: val ?? Number(time / 1_000_000n),
      labels: Object.fromEntries(labels.map(({ name, value }) => [name, value])),
    });
    return {};
  };
  return service(Metrics, {
    setGauge: record("setGauge"),
    emitKey: record("emitKey"),
    incrCounter: record("incrCounter"),
    addSample: record("addSample"),
    measureSince: record("measureSince"),
  });
}

/** @param identity asked for each call; undefined: SPIRE has none yet */
export function fakeIdentityProvider(identity: () => FakeIdentity | undefined): ServiceRegistration {
  return service(IdentityProvider, {
    fetchX509Identity() {
      const found = identity();
      if (found === undefined) throw new StatusError("UNAVAILABLE", "the test host was given no identity");
      const { certChain, privateKey, bundle } = found;
      return { identity: { certChain: [...certChain], privateKey }, bundle };
    },
  });
}

export function fakeAgentStore(agents: ReadonlySet<string>): ServiceRegistration {
  return service(AgentStore, {
    getAgentInfo({ agentId }) {
      if (agents.has(agentId)) return { info: { agentId } };
      throw new StatusError("NOT_FOUND", `agent "${agentId}" has not attested`);
    },
  });
}
