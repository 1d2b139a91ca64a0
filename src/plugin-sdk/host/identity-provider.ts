/** An X509-SVID of SPIRE Server, for the plugin's own use. */
import { IdentityProvider as IdentityProviderService } from "../../gen/spire/hostservice/server/identityprovider/v1/identityprovider_pb.ts";
import type { Bundle } from "../../gen/spire/plugin/types/bundle_pb.ts";
import type { CallOptions } from "../../go-plugin/grpc/grpc-client.ts";
import type { HostClient } from "./host-client.ts";

/** An identity in SPIRE's trust domain, and what to verify others of it with. */
export interface X509Identity {
  /** DER, the SVID first. */
  readonly certChain: readonly Uint8Array[];
  /** PKCS #8, DER. */
  readonly privateKey: Uint8Array;
  readonly bundle: Bundle;
}

export interface IdentityProvider {
  /**
   * The identity as it is now. It is rotated: fetch it again for each new connection.
   *
   * @throws StatusError UNAVAILABLE when SPIRE does not offer the service; SPIRE Agent never does, SPIRE Server not before
   *   it has its bundle
   */
  fetchX509Identity(options?: CallOptions): Promise<X509Identity>;
}

export function createIdentityProvider(client: HostClient): IdentityProvider {
  return {
    async fetchX509Identity(options) {
      const service = await client(IdentityProviderService);
      const { identity, bundle } = await service.fetchX509Identity({}, options);
      if (identity === undefined || bundle === undefined)
        throw new Error("SPIRE answered without an identity or bundle");
      return { certChain: identity.certChain, privateKey: identity.privateKey, bundle };
    },
  };
}
