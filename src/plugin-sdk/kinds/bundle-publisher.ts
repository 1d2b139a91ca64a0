/** BundlePublisher: puts SPIRE Server's trust bundle where others can fetch it. */
import { BundlePublisher } from "../../gen/spire/plugin/server/bundlepublisher/v1/bundlepublisher_pb.ts";
import type { Bundle } from "../../gen/spire/plugin/types/bundle_pb.ts";
import type { CallContext } from "../../go-plugin/grpc/call-context.ts";
import { type ServiceRegistration, service } from "../../go-plugin/grpc/grpc-service.ts";
import { type MaybePromise, required } from "./kind.ts";

export interface BundlePublisherHandlers {
  /** After an error SPIRE comes again later, with the bundle as it is then. */
  publishBundle(bundle: Bundle, context: CallContext): MaybePromise<void>;
}

export function bundlePublisher(handlers: BundlePublisherHandlers): ServiceRegistration {
  return service(BundlePublisher, {
    async publishBundle({ bundle }, context) {
      await handlers.publishBundle(required(bundle, "bundle"), context);
      return {};
    },
  });
}
