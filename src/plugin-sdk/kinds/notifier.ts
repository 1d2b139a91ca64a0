/** Notifier: hears of SPIRE Server's trust bundle. */
import { Notifier } from "../../gen/spire/plugin/server/notifier/v1/notifier_pb.ts";
import type { Bundle } from "../../gen/spire/plugin/types/bundle_pb.ts";
import type { CallContext } from "../../go-plugin/grpc/call-context.ts";
import { type ServiceRegistration, service } from "../../go-plugin/grpc/grpc-service.ts";
import { type MaybePromise, required } from "./kind.ts";

/** Events without a handler are answered as done. */
export interface NotifierHandlers {
  /** The bundle has changed. SPIRE logs an error, and does nothing else about it. */
  bundleUpdated?(bundle: Bundle, context: CallContext): MaybePromise<void>;
  /** The server has started and has its bundle. An error ends the server. */
  bundleLoaded?(bundle: Bundle, context: CallContext): MaybePromise<void>;
}

export function notifier(handlers: NotifierHandlers): ServiceRegistration {
  return service(Notifier, {
    async notify({ event }, context) {
      // An event that is newer than this code is not for it.
      if (event.case === "bundleUpdated") {
        await handlers.bundleUpdated?.(required(event.value.bundle, "bundle"), context);
      }
      return {};
    },
    async notifyAndAdvise({ event }, context) {
      if (event.case === "bundleLoaded") {
        await handlers.bundleLoaded?.(required(event.value.bundle, "bundle"), context);
      }
      return {};
    },
  });
}
