/** NodeAttestor: the half in SPIRE Agent, which proves what machine it runs on, and the half in SPIRE Server. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { NodeAttestor as AgentNodeAttestor } from "../../gen/spire/plugin/agent/nodeattestor/v1/nodeattestor_pb.ts";
import {
  type AttestRequest,
  type AttestResponseSchema,
  NodeAttestor,
} from "../../gen/spire/plugin/server/nodeattestor/v1/nodeattestor_pb.ts";
import { AsyncQueue } from "../../go-plugin/grpc/async-queue.ts";
import type { CallContext } from "../../go-plugin/grpc/call-context.ts";
import { type ServiceRegistration, service } from "../../go-plugin/grpc/grpc-service.ts";
import { StatusError } from "../../go-plugin/grpc/status-error.ts";
import type { MaybePromise } from "./kind.ts";

/** What attestation has found out about an agent. */
export interface AttestedAgent {
  /** `spiffe://<trust domain>/spire/agent/<name of the plugin>/<what is unique about the agent>`; see {@link agentId}. */
  readonly spiffeId: string;
  /** Without the type, which is the plugin's name in SPIRE's configuration. */
  readonly selectorValues?: readonly string[];
  /** Whether the agent may attest again with the same payload, without an operator. Default: no. */
  readonly canReattest?: boolean;
}

export interface AttestContext extends CallContext {
  /** Sends a challenge to the agent, and resolves to its answer. As often as it takes. */
  challenge(challenge: Uint8Array): Promise<Uint8Array>;
}

export interface ServerNodeAttestorHandlers {
  /**
   * Judges an agent by what its half has sent. Throw `StatusError("PERMISSION_DENIED", …)` for one that is not believed.
   *
   * @param payload what the plugin's half in the agent yielded first
   */
  attest(payload: Uint8Array, context: AttestContext): MaybePromise<AttestedAgent>;
}

export interface AgentNodeAttestorHandlers {
  /**
   * Yields the payload first, then one answer for each challenge. One that knows no challenges yields once and returns.
   *
   * @example async *aidAttestation(challenges) { yield payload; for await (const one of challenges) yield sign(one); }
   */
  aidAttestation(challenges: AsyncIterable<Uint8Array>, context: CallContext): AsyncIterable<Uint8Array>;
}

/** The half in SPIRE Server. */
export function serverNodeAttestor(handlers: ServerNodeAttestorHandlers): ServiceRegistration {
  return service(NodeAttestor, {
    attest: (requests, context) => converse(handlers, requests, context),
  });
}

/** The half in SPIRE Agent. */
export function agentNodeAttestor(handlers: AgentNodeAttestorHandlers): ServiceRegistration {
  return service(AgentNodeAttestor, {
    async *aidAttestation(requests, context) {
      let hasPayload = false;
      for await (const value of handlers.aidAttestation(challengesIn(requests), context)) {
        yield { data: { case: hasPayload ? "challengeResponse" : "payload", value } } as const;
        hasPayload = true;
      }
      if (!hasPayload) throw new StatusError("INTERNAL", "the plugin gave no attestation payload");
    },
  });
}

/** The SPIFFE ID of an agent in the form that SPIRE wants. @param suffix what is unique about it, such as an instance id */
export function agentId(trustDomain: string, pluginName: string, suffix: string): string {
  return `spiffe://${trustDomain}/spire/agent/${pluginName}/${suffix}`;
}

async function* challengesIn(requests: AsyncIterable<{ readonly challenge: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const { challenge } of requests) yield challenge;
}

type Response = MessageInitShape<typeof AttestResponseSchema>;

async function* converse(
  handlers: ServerNodeAttestorHandlers,
  requests: AsyncIterable<AttestRequest>,
  context: CallContext,
): AsyncGenerator<Response> {
  const incoming = requests[Symbol.asyncIterator]();
  const payload = await nextValue(incoming, "payload", "request has no attestation payload");
  const challenges = new AsyncQueue<Uint8Array>();
  const attested = (async () =>
    handlers.attest(payload, {
      method: context.method,
      deadline: context.deadline,
      get signal() {
        return context.signal;
      },
      get log() {
        return context.log;
      },
      challenge(challenge) {
        challenges.push(challenge);
        return nextValue(incoming, "challengeResponse", "the agent has not answered the challenge");
      },
    }))().finally(() => challenges.close());
  // Waited for below, unless the caller leaves before.
  attested.catch(() => undefined);
  for await (const value of challenges.read(context.signal)) yield { response: { case: "challenge", value } };
  const { spiffeId, selectorValues = [], canReattest = false } = await attested;
  const value = { spiffeId, selectorValues: [...selectorValues], canReattest };
  yield { response: { case: "agentAttributes", value } };
}

async function nextValue(
  incoming: AsyncIterator<AttestRequest>,
  wanted: "payload" | "challengeResponse",
  problem: string,
): Promise<Uint8Array> {
  const { value, done } = await incoming.next();
  const request = done === true ? undefined : (value as AttestRequest).request;
  if (request?.case !== wanted) throw new StatusError("INVALID_ARGUMENT", problem);
  return request.value;
}
