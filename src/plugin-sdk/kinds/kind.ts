/** What the faces of all kinds are made with. */
import type { DescService } from "@bufbuild/protobuf";
import type { ServiceHandlers, ServiceRegistration } from "../../go-plugin/grpc/grpc-service.ts";
import { service } from "../../go-plugin/grpc/grpc-service.ts";
import { StatusError } from "../../go-plugin/grpc/status-error.ts";

export type MaybePromise<T> = T | Promise<T>;

/** A service of which some methods may be left out: SPIRE is told UNIMPLEMENTED, and knows what to do then. */
export function partialService<Service extends DescService>(
  descriptor: Service,
  handlers: { readonly [Name in keyof ServiceHandlers<Service>]?: ServiceHandlers<Service>[Name] | undefined },
): ServiceRegistration {
  const given = Object.entries(handlers).filter(([, handler]) => handler !== undefined);
  return service(descriptor, Object.fromEntries(given) as ServiceHandlers<Service>);
}

/** What a request must have. @param name as in the `.proto` file */
export function required<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new StatusError("INVALID_ARGUMENT", `request has no ${name}`);
  return value;
}
