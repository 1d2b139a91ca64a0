/** WorkloadAttestor: tells SPIRE Agent what a process is. */
import { WorkloadAttestor } from "../../gen/spire/plugin/agent/workloadattestor/v1/workloadattestor_pb.ts";
import type { CallContext } from "../../go-plugin/grpc/call-context.ts";
import { type ServiceRegistration, service } from "../../go-plugin/grpc/grpc-service.ts";
import { StatusError } from "../../go-plugin/grpc/status-error.ts";
import type { MaybePromise } from "./kind.ts";

export interface WorkloadAttestorHandlers {
  /**
   * Says what a process is. SPIRE puts the plugin's name before each value: `systemd_unit:` before `unit:nginx.service`.
   * Trust what the kernel or a manager of processes says, never what the process says of itself.
   *
   * @returns no values for a process that is none of this plugin's business; throw when it is and cannot be told
   */
  attest(pid: number, context: CallContext): MaybePromise<readonly string[]>;
}

export function workloadAttestor(handlers: WorkloadAttestorHandlers): ServiceRegistration {
  return service(WorkloadAttestor, {
    async attest({ pid }, context) {
      if (pid <= 0) throw new StatusError("INVALID_ARGUMENT", `request has no process id: ${pid}`);
      return { selectorValues: [...(await handlers.attest(pid, context))] };
    },
  });
}
