/** A service's handlers, loaded when the first call to any of its methods comes. */
import type { AnyHandler, AnyHandlers, ServiceRegistration } from "./grpc-service.ts";
import { StatusError } from "./status-error.ts";

/** The service's handlers, loaded once for all its methods; a failed load is tried again by the next call. */
export function lazyHandlers(registration: ServiceRegistration): (methodName: string) => AnyHandler {
  let loaded: AnyHandlers | undefined;
  let loading: Promise<AnyHandlers> | undefined;

  async function load(): Promise<AnyHandlers> {
    loading ??= Promise.resolve().then(registration.load);
    try {
      loaded = await loading;
      return loaded;
    } catch (error) {
      loading = undefined;
      throw error;
    }
  }

  const { method: methods } = registration.service;
  return (methodName) => (request, context) => {
    const name = methods[methodName]?.name ?? methodName;
    const invoke = (handlers: AnyHandlers): unknown => {
      const handler = handlers[methodName];
      if (handler === undefined) throw new StatusError("UNIMPLEMENTED", `${name} is not implemented by this plugin`);
      return handler.call(handlers, request, context);
    };
    return loaded === undefined ? load().then(invoke) : invoke(loaded);
  };
}
