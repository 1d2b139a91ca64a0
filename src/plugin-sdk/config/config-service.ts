/** SPIRE's Config service over a plugin's own handlers. */
import {
  Config,
  type ConfigureRequest,
  type ValidateRequest,
} from "../../gen/spire/service/common/config/v1/config_pb.ts";
import { type ServiceRegistration, service } from "../../go-plugin/grpc/grpc-service.ts";
import { StatusError } from "../../go-plugin/grpc/status-error.ts";
import type { ConfigHandlers } from "../plugin-definition.ts";
import { trustDomainProblem } from "./trust-domain.ts";

/** Checks what every plugin needs of SPIRE's own configuration, and leaves the rest to the plugin. */
export function createConfigService(handlers: ConfigHandlers): ServiceRegistration {
  return service(Config, {
    async configure(request, context) {
      const problem = coreProblem(request);
      if (problem !== undefined) throw new StatusError("INVALID_ARGUMENT", problem);
      await handlers.configure(request.hclConfiguration, { trustDomain: trustDomainOf(request) }, context);
      return {};
    },
    async validate(request, context) {
      const problem = coreProblem(request);
      const core = { trustDomain: problem === undefined ? trustDomainOf(request) : "" };
      const { valid, notes } = await handlers.validate(request.hclConfiguration, core, context);
      return problem === undefined ? { valid, notes: [...notes] } : { valid: false, notes: [problem, ...notes] };
    },
  });
}

function trustDomainOf(request: ConfigureRequest | ValidateRequest): string {
  return request.coreConfiguration?.trustDomain ?? "";
}

/** The sentences are those of SPIRE's own plugins. */
function coreProblem(request: ConfigureRequest | ValidateRequest): string | undefined {
  if (request.coreConfiguration === undefined) return "server core configuration is required";
  const { trustDomain } = request.coreConfiguration;
  if (trustDomain === "") return "server core configuration must contain trust_domain";
  const problem = trustDomainProblem(trustDomain);
  return problem === undefined ? undefined : `server core configuration trust_domain is malformed: ${problem}`;
}
