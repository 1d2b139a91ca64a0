/** SVIDStore: puts X509-SVIDs where workloads without an agent find them. */
import { SVIDStore, type X509SVID } from "../../gen/spire/plugin/agent/svidstore/v1/svidstore_pb.ts";
import type { CallContext } from "../../go-plugin/grpc/call-context.ts";
import { type ServiceRegistration, service } from "../../go-plugin/grpc/grpc-service.ts";
import { type MaybePromise, required } from "./kind.ts";

export interface PutRequest {
  readonly svid: X509SVID;
  /** The selectors of the registration entry, without the type: where to put it. */
  readonly metadata: readonly string[];
  /** By trust domain: DER of all its authorities, one after another. */
  readonly federatedBundles: Readonly<Record<string, Uint8Array>>;
}

/** Called again with the same until it succeeds, so each must be fit to be repeated. */
export interface SvidStoreHandlers {
  putX509SVID(request: PutRequest, context: CallContext): MaybePromise<void>;
  /** What is not there counts as deleted. */
  deleteX509SVID(metadata: readonly string[], context: CallContext): MaybePromise<void>;
}

export function svidStore(handlers: SvidStoreHandlers): ServiceRegistration {
  return service(SVIDStore, {
    async putX509SVID({ svid, metadata, federatedBundles }, context) {
      await handlers.putX509SVID({ svid: required(svid, "svid"), metadata, federatedBundles }, context);
      return {};
    },
    async deleteX509SVID({ metadata }, context) {
      await handlers.deleteX509SVID(metadata, context);
      return {};
    },
  });
}
