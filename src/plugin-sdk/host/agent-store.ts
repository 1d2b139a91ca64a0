/** Which agents SPIRE Server knows. */
import { AgentStore as AgentStoreService } from "../../gen/spire/hostservice/server/agentstore/v1/agentstore_pb.ts";
import type { CallOptions } from "../../go-plugin/grpc/grpc-client.ts";
import { GrpcStatusError } from "../../go-plugin/grpc/status-error.ts";
import type { HostClient } from "./host-client.ts";

/** For node attestors that let an agent attest once only. */
export interface AgentStore {
  /**
   * Whether an agent has attested before.
   *
   * @param agentId a SPIFFE ID
   * @throws StatusError UNAVAILABLE when SPIRE does not offer the service: SPIRE Agent never does
   */
  hasAttested(agentId: string, options?: CallOptions): Promise<boolean>;
}

export function createAgentStore(client: HostClient): AgentStore {
  return {
    async hasAttested(agentId, options) {
      const service = await client(AgentStoreService);
      try {
        await service.getAgentInfo({ agentId }, options);
        return true;
      } catch (error) {
        if (error instanceof GrpcStatusError && error.code === "NOT_FOUND") return false;
        throw error;
      }
    },
  };
}
